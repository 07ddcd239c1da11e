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
