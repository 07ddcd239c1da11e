"""Attacks over the channel: to be given by the platform what the worker cannot take itself.

The control talks to `control.naive_peer`, which believes everything: it gives any folder that is named and any value.
`repo` at `commit` is a repository that the worker may have; what it is given is a view of it.
"""

from __future__ import annotations

from tests.attacks.attack import Attack

GIVEN = "files of that folder"
CHANGED = "the checkpoint that all models share is changed"
ANSWERED = "an answer"
STREAM = "a pair of streams is connected for good"


def asked(repo: str, revision: str = "None", found: str = "[n for _, _, n in os.walk(place)]") -> Attack:
    """Ask for the files of a repository, and return what lies in the folder that is given."""
    return Attack(GIVEN, f"place = ask(what='resolve', repo={repo}, revision={revision})\nreturn {found}")


VIEW = "place = Path(ask(what='resolve', repo=repo, revision=commit))\nfile = place / 'config.json'\n"

FOLDERS = {
    "be given a folder of the machine": asked("'/etc'"),
    "be given the root folder": asked("'/'", found="os.listdir(place)"),
    "be given the home": asked("home"),
    "be given the home by a detour": asked("cache_root + '/../../home'"),
    "be given the cache of all checkpoints": asked("cache_root"),
    "be given the checkpoint of another model": asked("checkpoint"),
    "be given the checkpoint of another model by a detour": asked("cache_root + '/.//' + checkpoint[len(cache_root):]"),
    "be given the views of all models": asked("str(Path(other_view).parent)"),
    "be given the scratch folder of another model": asked("other_scratch"),
    "be given a folder of its own that leads elsewhere": asked(
        "(os.path.exists('door') or os.symlink(home, 'door')) or os.getcwd() + '/door'"
    ),
    "be given the folder of the user": asked("'~/'"),
    "be given a folder beside the app": asked("'../'"),
    "be given a folder beside the app, deeper": asked("'./' + '../' * 20 + 'etc'"),
    "be given a folder by a URL": asked("'file:///etc'"),
    "be given a repository with dots": asked("'org/../../etc'"),
    "be given a repository that goes up": asked("'..'", found="os.listdir(place)"),
    "be given a repository without a name": asked("''", found="os.listdir(place or '.')"),
    "be given a repository with a zero in it": asked("'org/tiny' + chr(0) + '/etc'"),
    "be given a repository with a long name": asked("'org/' + 'a' * 100_000"),
    "be given a repository with a line break": asked("'org/tiny\\nHost: example.org'"),
    "be given a starter from elsewhere": asked("'hfreg/starter-../../../../../etc'"),
    "be given a starter by its absolute path": asked("'hfreg/starter-/etc'"),
    "be given a revision that goes up": asked("repo", "'../../../../etc'"),
    "be given a revision that is a commit and more": asked("repo", "commit + '/../..'"),
    "be given a repository that is a number": asked("7"),
    "be given a repository that is a list": asked("[home]"),
    "be given a repository that is a map": asked("{'$pairs': [[home, home]]}"),
    "be given a revision that is a list": asked("repo", "['main']"),
}

VIEWS = {
    "write into a checkpoint that it was given": Attack(CHANGED, VIEW + "return file.write_text('{')"),
    "cut a checkpoint that it was given": Attack(CHANGED, VIEW + "os.truncate(file, 0)\nreturn True"),
    "map a checkpoint to write": Attack(
        CHANGED, VIEW + "mmap.mmap(os.open(file, os.O_RDWR), 0)[0] = 33\nreturn True"
    ),
    "write through a mapping that was for reading": Attack(
        CHANGED,
        VIEW + "kept = mmap.mmap(os.open(file, os.O_RDONLY), 0, mmap.MAP_SHARED, 3)\nkept[0] = 33\nreturn True",
        unless="no kernel maps for writing what was opened for reading",
    ),
    "remove a checkpoint that it was given": Attack(CHANGED, VIEW + "file.unlink()\nreturn True"),
    "put another file in the place of a checkpoint": Attack(
        CHANGED, VIEW + "Path('mine').write_text('{}')\nos.rename('mine', file)\nreturn True"
    ),
    "add a file to what it was given": Attack(CHANGED, VIEW + "return (place / 'more.json').write_text('{}')"),
    "link a checkpoint into its scratch folder": Attack(
        CHANGED, VIEW + "os.link(file, 'hard')\nreturn open('hard', 'r+')"
    ),
    "change the mode of a checkpoint that it was given": Attack(
        CHANGED, VIEW + "os.chmod(file, 0o666)\nreturn os.stat(file).st_mode & 0o777 == 0o666"
    ),
    "change the times of a checkpoint that it was given": Attack(
        CHANGED, VIEW + "os.utime(file, (1, 1))\nreturn os.stat(file).st_mtime == 1"
    ),
    "see what lies beside what it was given": Attack(GIVEN, VIEW + "return os.listdir(place.parent.parent.parent)"),
}  # fmt: skip

CALLS = {
    "call a model that is none of its resources": Attack(
        ANSWERED, "return ask(what='call', alias='bystander', positional=[], named={})"
    ),
    "call itself": Attack(ANSWERED, "return ask(what='call', alias='attack', positional=[], named={})"),
    "call a function of the platform": Attack(
        ANSWERED, "return ask(what='call', alias='__class__', positional=[], named={})"
    ),
    "call a model whose name is a list": Attack(
        ANSWERED, "return ask(what='call', alias=['bystander'], positional=[], named={})"
    ),
    "ask for the environment": Attack(ANSWERED, "return ask(what='environment', version=1)"),
    "ask for the token": Attack(ANSWERED, "return ask(what='token')"),
    "ask for the settings": Attack(ANSWERED, "return ask(what='settings')"),
    "ask for a method": Attack(ANSWERED, "return ask(what='__init__')"),
    "ask for nothing": Attack(ANSWERED, "return ask(what=None)"),
    "ask for a list": Attack(ANSWERED, "return ask(what=['resolve'], repo=home)"),
}

OTHERS = {
    "have a descriptor that is not its own": Attack(
        "a descriptor that something can be read from or written to",
        "found = []\nfor n in range(4, 4096):\n    try: flags = fcntl.fcntl(n, fcntl.F_GETFL)\n"
        "    except OSError: continue\n    if not flags & os.O_PATH: found.append(n)\nreturn found",
        fresh=True,
    ),
    "have a descriptor that opens what lies outside": Attack(
        "a descriptor of a folder or file of the app",
        "found = []\nfor n in range(4, 4096):\n    try: fcntl.fcntl(n, fcntl.F_GETFD)\n    except OSError: continue\n"
        "    for way in (lambda: os.open(f'/proc/self/fd/{n}/definitions.json', os.O_RDONLY), "
        "lambda: os.open('definitions.json', os.O_RDONLY, dir_fd=n), lambda: os.read(n, 1)):\n"
        "        try: found.append(way())\n        except OSError: pass\nreturn found",
        fresh=True,
    ),
    "send over its channel to somebody else": Attack(
        "somebody else hears of it",
        "return socket.socket(fileno=os.dup(3)).sendto(b'', chr(0) + abstract) == 0",
        unless=STREAM,
    ),
    "aim its channel at somebody else": Attack(
        "somebody else hears of it",
        "socket.socket(fileno=os.dup(3)).connect(chr(0) + abstract)\nreturn True",
        unless=STREAM,
    ),
}

CHANNEL = {**FOLDERS, **VIEWS, **CALLS, **OTHERS}
