"""Store: what is kept under the home, and how.

Definitions and their versions are one TinyDB file behind `AtomicStorage`; autosaves are small files of
their own; calls are rows of an SQL database. The names of these are given here, so that backup and
registry mean the same files. What versions may do is decided in `hfreg.lifecycle`, not here.
"""

from __future__ import annotations

DEFINITIONS = "definitions.json"
AUTOSAVES = "autosave"
EVENTS = "events.sqlite"
POLICIES = "policies.json"
CHECKS = "checks"
COMPARISONS = "comparisons"
