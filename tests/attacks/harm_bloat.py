"""Harm by size: memory of every kind, threads, descriptors, files and folders."""

from __future__ import annotations

from tests.attacks.attack import Harm

FULL = ("MemoryError",)
PATIENCE_S = 5.0
"""Long enough that it is the size that ends it and not the time."""


def grows(does: str, logic: str, ends: tuple[str, ...] = FULL) -> Harm:
    return Harm(does, logic, ends, time_s=PATIENCE_S)


MEMORY = {
    "lists": grows("fills memory", "kept = []\nwhile True: kept.append([0] * 10_000)"),
    "bytes": grows("fills memory", "kept = []\nwhile True: kept.append(b'x' * (1 << 20))"),
    "one large block": grows("fills memory", "return len(bytearray(b'x') * (1 << 30))"),
    "a block larger than all": grows("asks for too much", "return bytearray(1 << 50)"),
    "a text that doubles": grows("fills memory", "text = 'x'\nwhile True: text += text"),
    "a dict": grows("fills memory", "return {n: str(n) for n in range(10**9)}"),
    "tensors": grows("fills memory", "import torch\nkept = []\nwhile True: kept.append(torch.ones(1 << 20))"),
    "one large tensor": grows(
        "fills memory", "import torch\nreturn torch.ones(1 << 29).sum().item()", (*FULL, "RuntimeError")
    ),
    "memory of C": grows(
        "fills memory",
        "libc.malloc.restype = ctypes.c_void_p\nwhile True:\n"
        "    ctypes.memset(libc.malloc(ctypes.c_size_t(1 << 24)), 1, 1 << 24)",
        (*FULL, "ProcessEnded"),
    ),
    "mappings": grows(
        "fills memory",
        "kept = []\nwhile True:\n    kept.append(mmap.mmap(-1, 1 << 24, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))\n"
        "    kept[-1].write(bytes(1 << 24))",
    ),
    "shared mappings": grows(
        "fills memory that belongs to no process alone",
        "kept = []\nwhile len(kept) < 200:\n    kept.append(mmap.mmap(-1, 1 << 23))\n"
        "    kept[-1].write(bytes(1 << 23))\n"
        "return 'more than a gigabyte'",
    ),
    "a file that unpacks": grows(
        "fills memory",
        "import zlib\nsmall = zlib.compress(bytes(1 << 26))\nkept = []\n"
        "while True: kept.append(zlib.decompress(small))",
    ),
    "threads with memory": grows(
        "fills memory from many threads at once",
        "def fill():\n    kept = []\n    while True: kept.append(bytes(1 << 20))\n"
        "for _ in range(8): threading.Thread(target=fill).start()\nthreading.Event().wait()",
    ),
    "memory behind noise": grows(
        "fills memory while it keeps whoever watches it busy",
        "def talk():\n    while True: os.write(2, b'x' * 4096)\nthreading.Thread(target=talk, daemon=True).start()\n"
        "kept = []\nwhile True: kept.append(b'x' * (1 << 20))",
    ),
    "memory after the answer": Harm(
        "fills memory when nobody asks",
        "def fill():\n    kept = []\n    while True: kept.append(b'x' * (1 << 20))\n"
        "threading.Thread(target=fill, daemon=True).start()\nreturn 'answered'",
        ("ok",),
        then=("fine", "MemoryError"),
        time_s=PATIENCE_S,
    ),
    "holes in memory": Harm(
        "makes the kernel keep lists",
        "kept = mmap.mmap(-1, 1 << 34, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
        "for at in range(0, 1 << 34, 1 << 21): kept[at] = 1",
        ("ok", "timeout", "OSError"),
    ),
    "pipes that are full": Harm(
        "fills memory of the kernel",
        "count = 0\ntry:\n    while True:\n        end = os.pipe()[1]\n        os.set_blocking(end, False)\n"
        "        count += os.write(end, bytes(1 << 16))\nexcept OSError as error: return error.errno == errno.EMFILE",
        ("ok",),
        says="True",
    ),
    "sockets that are full": Harm(
        "fills memory of the kernel",
        "kept = []\ntry:\n    while True:\n        kept.append(socket.socketpair())\n"
        "        kept[-1][0].setblocking(False)\n"
        "        kept[-1][0].send(bytes(1 << 22))\nexcept OSError as error: return error.errno == errno.EMFILE",
        ("ok",),
        says="True",
    ),
}

COUNTS = {
    "threads": grows(
        "starts as many threads as it can",
        "threading.stack_size(1 << 16)\n"
        "while True: threading.Thread(target=threading.Event().wait, daemon=True).start()",
        (*FULL, "RuntimeError"),
    ),
    "threads that stay": Harm(
        "keeps as many threads as it can",
        "threading.stack_size(1 << 16)\ntry:\n"
        "    while True: threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "except RuntimeError: return 'answered'",
        (*FULL, "ok", "RuntimeError"),
        time_s=PATIENCE_S,
    ),
    "descriptors": Harm("opens as many as it can", "while True: os.dup(0)", ("OSError",)),
    "descriptors in flight": Harm(
        "has the kernel hold descriptors that nobody takes",
        "pair = socket.socketpair()\npair[0].setblocking(False)\nimport array\n"
        "while True: pair[0].sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0] * 50))])",
        ("OSError", "BlockingIOError", "PermissionError"),
    ),
    "descriptors on its channel": Harm(
        "sends the platform descriptors",
        "import array\nchannel = socket.socket(fileno=os.dup(3))\nchannel.sendmsg([frame({'kind': 'event'})], "
        "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0] * 50))])\nreturn 'answered'",
        ("ok", "OSError"),
    ),
    "locks on a file": Harm(
        "has the kernel keep lists",
        "file = os.open('locked', os.O_CREAT | os.O_RDWR)\n"
        "for at in range(0, 10**9, 2): fcntl.lockf(file, fcntl.LOCK_EX, 1, at)",
        ("timeout", "OSError"),
    ),
    "timers": Harm(
        "has the kernel keep lists",
        "while True: syscall(283, 85, 1, 0)",
        ("OSError",),
    ),
}

FILES = {
    "a large file": Harm(
        "fills the disk", "Path('large').write_bytes(bytes(70 << 20))", ("OSError",), time_s=PATIENCE_S
    ),
    "many large files": grows(
        "fills the disk",
        "block = bytes(1 << 24)\nfor n in range(10**6): Path(str(n)).write_bytes(block)",
        ("DiskFull",),
    ),
    "files that are gone": Harm(
        "fills the disk with files that nobody sees",
        "block = bytes(1 << 20)\nkept = []\ntry:\n    while True:\n        kept.append(tempfile.TemporaryFile())\n"
        "        kept[-1].write(block)\nexcept OSError as error: return error.errno == errno.EMFILE",
        ("ok", "DiskFull"),
        time_s=PATIENCE_S,
    ),
    "many files": grows("fills the disk", "for n in range(10**7): open(str(n), 'w').close()", ("DiskFull",)),
    "many folders": grows("fills the disk", "for n in range(10**7): os.mkdir(str(n))", ("DiskFull",)),
    "many links": grows("fills the disk", "for n in range(10**7): os.symlink('x', str(n))", ("DiskFull",)),
    "files after the answer": Harm(
        "fills the disk when nobody asks",
        "def fill():\n    for n in range(10**7): open(str(n), 'w').close()\n"
        "threading.Thread(target=fill, daemon=True).start()\nreturn 'answered'",
        ("ok",),
        then=("fine", "DiskFull"),
        time_s=PATIENCE_S,
    ),
    "a deep folder": Harm(
        "makes folders that no path reaches",
        "for _ in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\nreturn 'answered'",
        ("ok", "DiskFull"),
        time_s=PATIENCE_S,
    ),
    "folders that nobody may enter": Harm(
        "makes folders that cannot be removed",
        "os.umask(0)\nfor n in range(9):\n    os.mkdir(str(n))\n    os.close(os.open(f'{n}/f', os.O_CREAT, 0))\n"
        "    os.mkdir(f'{n}/d', 0)\nos.mkdir('closed', 0)\nreturn 'answered'",
        ("ok",),
    ),
    "odd names": Harm(
        "makes names that are no text",
        "for name in (b'\\xff\\xfe', b'a\\nb', b'-rf', b'x' * 255, b' ', b'*'):\n"
        "    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))\nos.symlink('..', 'up')\nos.symlink('loop', 'loop')\n"
        "return 'answered'",
        ("ok",),
    ),
}

BLOAT = {**MEMORY, **COUNTS, **FILES}
