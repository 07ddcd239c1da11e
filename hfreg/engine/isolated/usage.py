"""Usage: what a worker takes of the machine, measured from outside.

The worker hides itself from others, so before it is confined it hands over an open descriptor on which the kernel
tells its memory; what it says afterwards is the kernel's word, not its own.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


class Usage:
    """Memory and processor time of one process."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._status = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
        self._rollup = -1
        self._lock = threading.Lock()

    def take(self, handles: list[int]) -> None:
        """Keep the descriptor that the worker handed over."""
        for handle in handles[1:]:
            os.close(handle)
        self._rollup = handles[0] if handles else -1

    def private_bytes(self) -> int:
        """Return the bytes in memory that are no file's: what grows when code takes memory; cheap."""
        return (self._told(b"RssAnon:") + self._told(b"RssShmem:")) * 1024  # shared memory is memory too

    def threads(self) -> int:
        """Return how many threads it has."""
        return self._told(b"Threads:")

    def proportional_bytes(self) -> int:
        """Measure the memory with its share of what it shares with others (PSS); takes milliseconds."""
        with self._lock:
            try:
                text = os.pread(self._rollup, 4096, 0).decode()
            except OSError:  # it ended
                return 0
        return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)

    def cpu_s(self) -> float:
        """Return the processor time used, in seconds."""
        try:
            fields = self._stat.read_bytes().rpartition(b")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / TICK

    def _told(self, name: bytes) -> int:
        """Return a number of /proc/PID/status; 0 once the process ended."""
        try:
            text = os.pread(self._status, 4096, 0)
        except OSError:
            return 0
        _, _, after = text.partition(b"\n" + name)
        return int(after.split(None, 1)[0]) if after else 0

    def close(self) -> None:
        """Let go of the descriptors."""
        with self._lock:
            for descriptor in (self._status, self._rollup):
                if descriptor >= 0:
                    os.close(descriptor)
            self._status = self._rollup = -1
