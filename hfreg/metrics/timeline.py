"""Timeline: moments as microseconds, and the days, hours and buckets they fall into in a time zone.

Covers what clocks do twice a year. It draws nothing and formats nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hfreg.metrics import Ints

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_BUCKETS = 130
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_WIDTHS_S = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR, _DAY, 7 * _DAY, 28 * _DAY)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return microseconds since 1970 in UTC, exactly; a datetime without a zone is taken as UTC."""
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """Return the aware datetime of microseconds since 1970.

    >>> moment(1_500_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=datetime.timezone.utc)
    """
    return EPOCH + at * _MICROSECOND


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return when the local day begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def bucket_edges(since: datetime, until: datetime, zone: tzinfo) -> Sequence[datetime]:
    """Return the edges of at most about MAX_BUCKETS buckets that cover the range, on round local times.

    Days begin at local midnight, whatever the clocks do in between; weeks begin on Monday. Empty for an empty range.
    """
    if until <= since:
        return []
    span = (until - since).total_seconds()
    width = next((w for w in _WIDTHS_S if span / w <= MAX_BUCKETS - 2), _WIDTHS_S[-1])
    days = timedelta(days=max(1, width // _DAY))
    day = since.astimezone(zone).date()
    day -= timedelta(days=day.weekday() if width >= 7 * _DAY else 0)
    edges = [midnight(day, zone)]
    while edges[-1] < until:
        following = midnight(day + days, zone)
        while width < _DAY and edges[-1] + timedelta(seconds=width) < following:
            edges.append(edges[-1] + timedelta(seconds=width))
        edges.append(following)
        day += days
    first = max(i for i, edge in enumerate(edges) if edge <= since)
    end = next(i for i, edge in enumerate(edges) if edge >= until)
    return edges[first : end + 1]


def utc_offsets(at: Ints, zone: tzinfo) -> Ints:
    """Return what to add to each moment to get local time, both in microseconds."""
    import numpy as np

    if not len(at):
        return at
    day = _DAY * 1_000_000
    marks = list(range(int(at.min()) // day * day, int(at.max()) + day + 1, day))
    starts, offsets = [marks[0]], [_offset(marks[0], zone)]
    for left, right in pairwise(marks):
        if _offset(right, zone) == offsets[-1]:
            continue
        while right - left > 1_000_000:  # the clocks changed on this day: find the second
            middle = (left + right) // 2_000_000 * 1_000_000
            left, right = (middle, right) if _offset(middle, zone) == offsets[-1] else (left, middle)
        starts.append(right)
        offsets.append(_offset(right, zone))
    return np.array(offsets)[np.searchsorted(np.array(starts), at, side="right") - 1]


def _offset(at: int, zone: tzinfo) -> int:
    return (moment(at).astimezone(zone).utcoffset() or timedelta()) // _MICROSECOND
