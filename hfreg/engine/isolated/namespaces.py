"""Namespaces: one more wall around all workers, made by bubblewrap where it is installed.

The zygote, and with it every worker, then sees no process but its own, shares no memory segment or queue with others,
and finds everything but the temporary folder mounted read-only; and when it ends, the kernel ends whatever is left in
there. Workers do not lean on it: their own layers hold without. The network stays, because some models may use it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence

PROGRAM = "bwrap"
TRIAL_S = 10.0
LAYER = {"bubblewrap": "on: own processes and messages, mounts read-only but for the temporary folder"}


def wall() -> list[str]:
    """Return the beginning of a command line that runs the rest behind the wall; empty where there is none."""
    if (program := shutil.which(PROGRAM)) is None:
        return []
    temporary = tempfile.gettempdir()
    begin = [
        program, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1",
        "--ro-bind", "/", "/", "--bind", temporary, temporary, "--dev", "/dev", "--proc", "/proc", "--",
    ]  # fmt: skip
    return begin if _works([*begin, "true"]) else []


def _works(trial: Sequence[str]) -> bool:
    """Whether this machine lets bubblewrap do it: many do not let users make namespaces."""
    try:
        return subprocess.run(trial, capture_output=True, timeout=TRIAL_S, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
