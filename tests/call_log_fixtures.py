"""Empty logs of calls on a real SQLite file and on a real PostgreSQL that is started for the tests."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from call_samples import wait_for

from hfreg.store.events import Events

BINARIES = [Path(p) for p in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start a private PostgreSQL on a socket of its own; give the URL up to the name of a database."""
    found = shutil.which("initdb") or next((str(b / "initdb") for b in BINARIES if (b / "initdb").exists()), None)
    if found is None or find_spec("psycopg") is None:
        pytest.skip("needs the PostgreSQL binaries and the package psycopg")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # short: the path of a socket has at most 107 bytes
    who = _unprivileged()
    if who:
        shutil.chown(folder, who["user"])
    start = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **who}
    subprocess.run([found, "-D", folder / "data", "-A", "trust", "-U", "tester", "--no-sync"], check=True, **start)
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", str(folder)]
    server = subprocess.Popen([Path(found).with_name("postgres"), "-D", folder / "data", *options], **start)
    try:
        wait_for(lambda: (folder / ".s.PGSQL.5432").exists() and _answers(folder), 20)
        yield f"postgresql://tester@/{{name}}?host={folder}"
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        server.wait(20)
        shutil.rmtree(folder)


def _unprivileged() -> dict[str, Any]:
    return {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}


def _answers(folder: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(f"host={folder} user=tester dbname=postgres").close()
    except psycopg.OperationalError:
        return False
    return True


_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database, on each of the two."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'calls.db'}"
    import psycopg

    server, name = request.getfixturevalue("postgresql").format(name="postgres"), f"calls_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")  # much cheaper than a database
    return f"{server}&options=-csearch_path%3D{name}"


@pytest.fixture
def events(url: str) -> Iterator[Events]:
    """Give an empty log on each of the two databases."""
    with Events(url) as log:
        yield log
