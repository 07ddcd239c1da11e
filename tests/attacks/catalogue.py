"""Catalogue: all attacks by name, in groups."""

from __future__ import annotations

from tests.attacks.harm_answers import SAID
from tests.attacks.harm_bloat import BLOAT
from tests.attacks.harm_forge import FORGE
from tests.attacks.harm_hang import HANG
from tests.attacks.harm_process import PROCESS
from tests.attacks.reach_channel import CHANNEL
from tests.attacks.reach_files import FILES
from tests.attacks.reach_kernel import KERNEL
from tests.attacks.reach_network import NETWORK
from tests.attacks.reach_processes import PROCESSES
from tests.attacks.reach_secrets import SECRETS

GROUPS = {
    "files": FILES,
    "processes": PROCESSES,
    "the kernel": KERNEL,
    "the network": NETWORK,
    "the channel": CHANNEL,
    "secrets": SECRETS,
}
REACH = {f"{group}: {name}": attack for group, attacks in GROUPS.items() for name, attack in attacks.items()}

KINDS = {"hang": HANG, "bloat": BLOAT, "answers": SAID, "forge": FORGE, "process": PROCESS}
HARM = {f"{kind}: {name}": harm for kind, harms in KINDS.items() for name, harm in harms.items()}

QUICK = frozenset(
    f"{kind}: {name}"
    for kind, names in {
        "hang": (
            *("loop in Python", "loop that catches everything", "loop in C", "pattern that backtracks"),
            *("power of large numbers", "sleep in C with the lock held", "read from its channel", "stop itself"),
            *("be deaf to all signals", "threads that burn", "an answer whose end hangs", "loading that never ends"),
            *("threads that burn after the answer", "a stream without end", "an end that never comes, from C"),
        ),
        "bloat": (
            *("lists", "one large tensor", "mappings", "shared mappings", "memory behind noise", "threads with memory"),
            *("memory after the answer", "pipes that are full", "threads that stay", "descriptors", "a large file"),
            *("many large files", "many files", "many folders", "a deep folder", "folders that nobody may enter"),
        ),
        "answers": (
            *("a text of 100 MB", "a list of a million lists", "a list in itself", "10,000 lists in each other"),
            *(
                "text that is none",
                "a text that loops",
                "a list that loops",
                "items without end",
                "a class that raises",
            ),
            *("a message that loops", "a message that raises", "print without end", "pieces without end"),
        ),
        "forge": (
            *("noise", "a length of four gigabytes", "half a frame", "a pickle in a frame", "brackets", "10,000 deep"),
            *("quotes that never close", "texts without end", "frames without end", "the answer of another row"),
            *("two answers", "an answer of another type", "a tag of keys of which half collide"),
            *("an error that is a function of the platform", "an event that is deep", "an event that is a list"),
            *("many requests at once", "requests whose answers nobody takes"),
        ),
        "process": (
            *("leave", "abort", "read nowhere", "recursion without a limit", "kill itself", "close everything"),
            *("close what it may print to", "no types in the worker", "another way of answering", "other modules"),
            *("other builtins", "no rights for new files", "no time any more"),
        ),
    }.items()
    for name in names
)
"""The harm that `make test` does: some of every family; `make soak` does all of it."""
assert not QUICK - HARM.keys()
