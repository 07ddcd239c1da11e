"""User: the one that attacks run as, and a Python that this user may run.

Tests that run as root start their attacks as a user without rights. A Python in the home of root is for root alone;
then one of the system with the same version runs them, with the packages of this environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def become(user: int | None) -> dict[str, Any]:
    """Return what subprocess needs to start a process as a user."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def python_for(user: int | None, folder: Path) -> Path | None:
    """Return a Python with the packages of this environment that the user may run; None where there is none."""
    if user is None or _runs(Path(sys.executable), user):
        return Path(sys.executable)
    places = (*os.get_exec_path(), "/usr/local/bin", "/usr/bin")
    found = next((one for place in places if (one := _in(place)) and _runs(one, user)), None)
    if found is None:
        return None
    packages = folder / "python" / "lib" / f"python{VERSION}" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "python" / "pyvenv.cfg").write_text(f"home = {found.parent}\ninclude-system-site-packages = false\n")
    made = folder / "python" / "bin" / "python"
    made.parent.mkdir()
    made.symlink_to(found)
    return made


def start(python: Path, user: int | None, part: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    """Start the driver of one part as a user, in a folder that is the user's own."""
    return subprocess.Popen(
        [str(python), "-m", "tests.attacks.driver", part, str(folder)],
        env={**environment(folder), **variables}, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True, **become(user),
    )  # fmt: skip


def own_folder(folder: Path, user: int | None) -> Path:
    """Make the folders of an app, owned by the user."""
    for path in (folder, folder / "home", folder / "hf", folder / "tmp"):
        path.mkdir(exist_ok=True)
        if user is not None:
            os.chown(path, user, user)
    return folder


def environment(folder: Path) -> Mapping[str, str]:
    """Return the environment of a driver: nothing of whoever runs the tests."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "HFREG_ENGINE": "isolated",
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
    }


def _in(place: str) -> Path | None:
    found = shutil.which(f"python{VERSION}", path=place)
    return Path(found).resolve() if found else None


def _runs(python: Path, user: int) -> bool:
    """Whether the user may reach it and what it imports."""
    told = [str(python), "-c", "import sys, ctypes, sqlite3; print(*sys.version_info[:2], sep='.')"]
    base = Path(sys.base_prefix).resolve() if python == Path(sys.executable) else python.resolve()
    if not all(path.stat().st_mode & 0o5 == 0o5 for path in (base, *base.parents)):
        return False
    try:
        done = subprocess.run(told, capture_output=True, text=True, timeout=30, cwd="/", **become(user))
    except OSError:
        return False
    return done.stdout.strip() == VERSION
