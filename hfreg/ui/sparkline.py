"""Sparkline: the calls of the last days as small bars beside a model.

Takes numbers only, so nothing a user wrote gets into the markup. Bars are boxes, because `st.html` drops SVG.
"""

from __future__ import annotations

from collections.abc import Sequence

HEIGHT = 24
COLOUR = "#5b6cf0"
"""Has 4 : 1 against the light and the dark background."""


def bars(days: Sequence[int]) -> str:
    """Return the bars of `days`, the oldest first; a day without calls is a thin line."""
    top = max(*days, 1)
    told = ", ".join(str(count) for count in days)
    label = f"Calls a day over the last {len(days)} days, today last: {told}"
    drawn = "".join(_bar(count / top) for count in days)
    frame = f"display:flex;align-items:flex-end;gap:3px;height:{HEIGHT}px;flex:none"
    return f'<div role="img" aria-label="{label}" title="{label}" style="{frame}">{drawn}</div>'


def _bar(share: float) -> str:
    height, shade = max(2, round(share * HEIGHT)), 1 if share else 0.45
    return f'<div style="width:8px;height:{height}px;background:{COLOUR};opacity:{shade};border-radius:1px"></div>'
