"""Harm to its own process: ends, crashes, closed descriptors, and the platform's own code swapped for other."""

from __future__ import annotations

from tests.attacks.attack import Harm

GONE = ("ProcessEnded",)
CLOSED = ("ProtocolError", "ProcessEnded", "timeout")

ENDS = {
    "leave": Harm("ends", "os._exit(0)", GONE, says="exit code 0"),
    "leave with an error": Harm("ends", "os.write(2, b'last words')\nos._exit(3)", GONE, says="last words"),
    "leave by C": Harm("ends", "libc._exit(4)", GONE, says="exit code 4"),
    "leave from a thread": Harm("ends", "threading.Thread(target=os._exit, args=(5,)).start()\ntime.sleep(100)", GONE),
    "abort": Harm("crashes", "os.abort()", GONE, says="SIGABRT"),
    "read nowhere": Harm("crashes", "ctypes.string_at(0)", GONE, says="SIGSEGV"),
    "write everywhere": Harm("crashes", "ctypes.memset(id(None), 255, 1 << 20)\nreturn None", (*GONE, "timeout", "ok")),
    "run nonsense": Harm(
        "crashes",
        "code = mmap.mmap(-1, 4096, prot=7)\ncode.write(b'\\x0f\\x0b' * 100 + bytes(3000))\n"
        "ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()",
        GONE,
    ),
    "recursion without a limit": Harm(
        "crashes",
        "sys.setrecursionlimit(10**9)\ndef f(x): return [f(x)][0]\nreturn f(1)",
        (*GONE, "MemoryError", "timeout", "RecursionError"),
        time_s=3,
        memory_mb=900,
    ),
    "code that is none": Harm(
        "crashes",
        "def f(): pass\nf.__code__ = f.__code__.replace(co_code=bytes([1, 0] * 100), co_stacksize=0)\nreturn f()",
        (*GONE, "SystemError", "timeout", "ok", "ScoringError"),
    ),
    "take its libraries away": Harm(
        "crashes", "libc.munmap(id(None) >> 12 << 12, 1 << 20)\nreturn None", (*GONE, "ok")
    ),
    "kill itself": Harm("ends", "os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(9)", GONE, says="SIGKILL"),
    "a fault reported to its channel": Harm(
        "writes to the platform as it crashes",
        "import faulthandler\nfaulthandler.enable(os.fdopen(3, 'wb', closefd=False))\nctypes.string_at(0)",
        ("ProcessEnded", "ProtocolError"),
    ),
    "words without end before it leaves": Harm(
        "floods the log",
        "os.set_blocking(2, False)\nfor _ in range(10**4):\n    try: os.write(2, b'\\xff' * 4096)\n"
        "    except BlockingIOError: pass\nos._exit(6)",
        GONE,
    ),
}

DESCRIPTORS = {
    "close its channel": Harm("is silent", "os.close(3)\ntime.sleep(100)", CLOSED),
    "close its channel and answer": Harm("is silent", "os.close(3)\nreturn 'answered'", CLOSED),
    "shut its channel": Harm("is silent", "socket.socket(fileno=os.dup(3)).shutdown(2)\ntime.sleep(100)", CLOSED),
    "shut its channel for reading": Harm(
        "is deaf",
        "socket.socket(fileno=os.dup(3)).shutdown(0)\nreturn 'answered'",
        (*CLOSED, "ok"),
        then=("ProcessEnded", "fine"),
    ),
    "close what it may print to": Harm(
        "is silent", "os.close(0)\nos.close(1)\nos.close(2)\nreturn 'answered'", ("ok",)
    ),
    "close everything": Harm("is silent", "os.closerange(0, 4096)\ntime.sleep(100)", CLOSED),
    "put another file in the place of its channel": Harm(
        "is silent", "os.dup2(os.open('/dev/null', os.O_RDWR), 3)\nreturn 'answered'", CLOSED
    ),
    "talk to itself": Harm(
        "is silent", "a, b = socket.socketpair()\nos.dup2(a.fileno(), 3)\nreturn 'answered'", CLOSED
    ),
    "make its channel wait for nobody": Harm(
        "fails to say", "os.set_blocking(3, False)\nreturn 'x' * 10**7", (*CLOSED, "ok", "OutputError")
    ),
    "keep a copy of its channel": Harm("stays", "os.dup(3)\nos.close(3)\ntime.sleep(100)", (*CLOSED,)),
}

CODE = {
    "no types in the worker": Harm(
        "checks nothing itself",
        "from hfreg.types import base\nimport hfreg.definition\n"
        "hfreg.definition.Definition.parsed_output_type = property(lambda self: type('T', (), {'convert': "
        "staticmethod(lambda v: type('C', (), {'value': v, 'warnings': ()})())})())\nreturn [1, 2]",
        ("OutputError",),
        output_type="String",
    ),
    "another way of packing": Harm(
        "sends what it likes",
        "from hfreg.engine.isolated import channel\nchannel.pack = lambda value: {'$pairs': 7}\nreturn 1",
        ("ScoringError",),
        then=("ScoringError", "ProtocolError"),
        later=("fine", "ScoringError", "ProtocolError"),
    ),
    "another way of answering": Harm(
        "answers as it likes",
        "from hfreg.engine.isolated.worker import Supervisor\n"
        "send = Supervisor.send\n"
        "Supervisor.send = lambda s, frame: send(s, {**frame, 'id': frame.get('id', 0) + 7, 'value': 'forged'})\n"
        "return 1",
        ("ProtocolError",),
    ),
    "an answer that says it was quick": Harm(
        "lies about its time",
        "from hfreg.engine import Timings\nfrom hfreg.engine.row import Clock\n"
        "Clock.timings = lambda self, load_ms: Timings(0, 0, 0, 0)\ntime.sleep(0.05)\nreturn 'answered'",
        ("ok",),
    ),
    "other modules": Harm(
        "puts its own in the place of others",
        "import json as real\nimport types\nevil = types.ModuleType('json')\nevil.dumps = lambda *a, **k: '{}'\n"
        "evil.loads = lambda *a: {}\n"
        "sys.modules['json'] = evil\nfrom hfreg.engine.isolated import channel\nchannel.json = evil\nreturn 1",
        ("ProtocolError",),
    ),
    "no modules": Harm(
        "takes all away",
        "sys.modules.clear()\nreturn 'answered'",
        ("ok", *CLOSED, "ScoringError", "OutputError"),
        then=("fine", "ScoringError", "ImportError", "KeyError", "ProcessEnded"),
    ),
    "other builtins": Harm(
        "puts its own in the place of others",
        "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.len = lambda a: 1\nreturn 'answered'",
        ("ok", *CLOSED, "ScoringError", "OutputError", "AttributeError"),
        then=(
            "fine",
            "ScoringError",
            "ProcessEnded",
            "ProtocolError",
            "timeout",
            "ArgumentError",
            "OutputError",
            "DefinitionError",
        ),
    ),
    "no environment": Harm("takes all away", "os.environ.clear()\nlibc.clearenv()\nreturn 'answered'", ("ok",)),
    "no rights for new files": Harm("takes all away", "os.umask(0o777)\nos.mkdir('x')\nreturn 'answered'", ("ok",)),
    "no descriptors any more": Harm(
        "takes all away", "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\nreturn 'answered'", ("ok",)
    ),
    "no memory any more": Harm(
        "takes all away",
        "resource.setrlimit(resource.RLIMIT_AS, (1, 1))\nreturn 'answered'",
        ("ok", *GONE, "MemoryError"),
        then=("fine", *GONE, "MemoryError"),
    ),
    "no time any more": Harm(
        "takes all away",
        "resource.setrlimit(resource.RLIMIT_CPU, (0, 0))\nwhile True: pass",
        (*GONE, "timeout"),
        time_s=3,
    ),
    "no collector": Harm("takes all away", "import gc\ngc.disable()\ngc.freeze()\nreturn 'answered'", ("ok",)),
    "the last in the queue": Harm("slows itself", "os.nice(19)\nreturn 'answered'", ("ok",)),
}

PROCESS = {**ENDS, **DESCRIPTORS, **CODE}
