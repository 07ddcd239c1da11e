"""Catalogue: all attacks by name, in groups."""

from __future__ import annotations

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
