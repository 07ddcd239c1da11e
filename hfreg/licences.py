"""Licences: the ids that cards name, and the policy that says which of them may be used.

Covers reading what a card says (a word, a list, nothing) as ids, the frozen table of a policy, and its verdict on
several ids at once: the strictest counts, since nobody says which of them holds. Knows no file and no Hub; it reads
ids, not licence texts, and gives no legal advice.

    >>> POLICY.verdict(("mit",)), POLICY.verdict(("mit", "llama3"))
    ('allowed', 'needs a reason')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from hfreg.errors import SettingsError

Verdict = Literal["allowed", "needs a reason", "denied"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
UNKNOWN = "unknown"
"""The id of a repository whose card names no licence."""
LISTED_ELSE = "other"
"""The id of a licence of its own; a rule for it also holds for every id that the table does not list."""
LONGEST = 100
_ID = re.compile(r"[a-z0-9][a-z0-9.+_-]*")
_FREE = (
    "0bsd", "afl-3.0", "apache-2.0", "artistic-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear",
    "bsl-1.0", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0",
    "cdla-permissive-1.0", "cdla-permissive-2.0", "ecl-2.0", "isc", "mit", "ms-pl", "ncsa", "odc-by", "pddl",
    "postgresql", "unlicense", "wtfpl", "zlib",
)  # fmt: skip
_WITH_TERMS = (
    "agpl-3.0", "apple-amlr", "apple-ascl", "bigcode-openrail-m", "bigscience-bloom-rail-1.0", "bigscience-openrail-m",
    "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0",
    "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "creativeml-openrail-m", "deepfloyd-if-license", "gemma",
    "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3",
    "llama4", "mpl-2.0", "openrail", "openrail++", LISTED_ELSE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """Which licences may be used: a verdict by id."""

    rules: Mapping[str, Verdict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, verdict in self.rules.items():
            if len(name) > LONGEST or not _ID.fullmatch(name):
                raise SettingsError(f"`{name[:LONGEST]}` is no licence id. Write one as `apache-2.0`.")
            if verdict not in VERDICTS:
                raise SettingsError(f"`{name}`: {verdict!r} is no verdict. Known: {', '.join(VERDICTS)}.")
        object.__setattr__(self, "rules", MappingProxyType(dict(sorted(self.rules.items()))))

    def verdict(self, licences: tuple[str, ...]) -> Verdict:
        """Return what holds for a repository with these licence ids, the strictest of them; none is `unknown`."""
        found = [self.of(name) for name in licences or (UNKNOWN,)]
        return max(found, key=VERDICTS.index)

    def of(self, name: str) -> Verdict:
        """Return what holds for one id; what is not listed counts as `other`, and that as needing a reason."""
        return self.rules.get(name, self.rules.get(LISTED_ELSE, "needs a reason"))

    def strictest(self, licences: tuple[str, ...]) -> str:
        """Return the id that decides."""
        names = licences or (UNKNOWN,)
        return max(names, key=lambda name: VERDICTS.index(self.of(name)))

    def with_rule(self, name: str, verdict: Verdict) -> Policy:
        """Return the policy with another verdict for one id; raises SettingsError for what is no id."""
        return Policy({**self.rules, name.strip().lower(): verdict})

    def without(self, name: str) -> Policy:
        """Return the policy without a rule for that id; `unknown` and `other` always have one."""
        if name in {UNKNOWN, LISTED_ELSE}:
            raise SettingsError(f"`{name}` always has a rule: choose another verdict for it.")
        return Policy({key: rule for key, rule in self.rules.items() if key != name})


def licence_ids(value: Any) -> tuple[str, ...]:
    """Return the ids in the licence field of a card: a word, a list of words, or nothing that can be read.

    >>> licence_ids("MIT"), licence_ids(["mit", 7, "Apache-2.0"]), licence_ids(None)
    (('mit',), ('mit', 'apache-2.0'), ())
    """
    items = value if isinstance(value, list | tuple) else [value]
    words = [item.strip().lower()[:LONGEST] for item in items[:20] if isinstance(item, str)]
    return tuple(dict.fromkeys(word for word in words if word and word != UNKNOWN))


POLICY = Policy(
    {
        **dict.fromkeys(_FREE, "allowed"),
        **dict.fromkeys(_WITH_TERMS, "needs a reason"),
        UNKNOWN: "allowed",
    }
)
"""What holds until somebody changes it: a card that names no licence is admitted, and the form warns of it."""
