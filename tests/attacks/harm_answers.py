"""Harm by what is said in the end: answers, errors and output that are too large, too deep, endless or alive."""

from __future__ import annotations

from tests.attacks.attack import Harm

TOLD = ("OutputError",)
LOST = ("OutputError", "MemoryError", "ProcessEnded", "timeout", "ScoringError")


def alive(body: str, how: str = "return Evil()", ends: tuple[str, ...] = (*LOST, "ok"), base: str = "") -> Harm:
    """Answer with an object that runs code when it is looked at."""
    return Harm("runs code when it is looked at", f"class Evil{base}:\n    {body}\n{how}", ends)


LOOP = "\n        while True: pass"

ANSWERS = {
    "a text of 100 MB": Harm("floods", "return 'x' * 10**8", TOLD, time_s=3, memory_mb=600),
    "a text of 100 MB in pieces": Harm("floods", "return ['x' * 10**6] * 100", TOLD, time_s=3, memory_mb=600),
    "a list of ten million": Harm("floods", "return [0] * 10**7", (*TOLD, "timeout"), time_s=3, memory_mb=900),
    "a list of a million lists": Harm(
        "floods", "return [[] for _ in range(10**6)]", (*TOLD, "timeout"), time_s=5, memory_mb=900
    ),
    "a map of a million": Harm(
        "floods", "return {str(n): 0 for n in range(10**6)}", (*TOLD, "timeout"), time_s=5, memory_mb=900
    ),
    "a list in itself": Harm("never ends", "a = []\na.append(a)\nreturn a", LOST),
    "two maps in each other": Harm("never ends", "a = {}\nb = {'a': a}\na['b'] = b\nreturn a", LOST),
    "10,000 lists in each other": Harm("is deep", "a = []\nfor _ in range(10_000): a = [a]\nreturn a", LOST),
    "400 lists in each other": Harm("is deep", "a = []\nfor _ in range(400): a = [a]\nreturn a", (*LOST, "ok")),
    "10,000 maps in each other": Harm("is deep", "a = {}\nfor _ in range(10_000): a = {'a': a}\nreturn a", LOST),
    "a number of a million digits": Harm("is long", "return 10 ** 10**6", (*LOST, "ok", "ValueError"), time_s=3),
    "numbers that are none": Harm("is no number", "return [float('nan'), float('inf'), -float('inf')]", (*LOST, "ok")),
    "keys that are none": Harm("is no key", "return {float('nan'): 1, None: 2, (1, 2): 3}", (*LOST, "ok")),
    "keys that collide": Harm(
        "takes long to be put together",
        "return {n * (2**61 - 1): 0 for n in range(20_000)}",
        (*LOST, "ok", "ProtocolError"),
        time_s=8,
    ),
    "text that is none": Harm("cannot be written", "return ['\\ud800', '\\x00', '\\udfff' * 1000]", (*LOST, "ok")),
    "a generator": Harm("never ends", "return (n for n in iter(int, 1))", LOST),
    "itself": Harm("is alive", "return globals()", (*LOST, "ok")),
    "a module": Harm("is alive", "return sys", LOST),
    "a text that loops": alive(f"def __str__(self):{LOOP}"),
    "a text that raises": alive("def __str__(self): raise BaseException('no')"),
    "a description that loops": alive(f"def __repr__(self):{LOOP}"),
    "a description of 100 MB": alive("def __repr__(self): return 'x' * 10**8"),
    "a list that loops": alive(f"def tolist(self):{LOOP}"),
    "a list that is itself": alive("def tolist(self): return [self]"),
    "items that loop": alive(f"def items(self):{LOOP}", base="(dict)", how="return Evil(a=1)"),
    "items without end": alive(
        "def items(self):\n        while True: yield 'a', 1", base="(dict)", how="return Evil(a=1)"
    ),
    "a class that lies": alive("__class__ = str"),
    "a class that raises": alive(
        "@property\n    def __class__(self): raise BaseException('no')", ends=("BaseException",)
    ),
    "a length that lies": alive("def __len__(self): return 1 << 62", base="(list)", how="return Evil([1])"),
    "members without end": alive(
        "def __iter__(self):\n        while True: yield 1", base="(list)", how="return Evil([1])"
    ),
    "a key that raises": alive("def __hash__(self): raise BaseException('no')", how="return {1: Evil()}"),
    "a text with a life of its own": alive(
        "def __str__(self): raise BaseException('no')", "return Evil('x')", base="(str)"
    ),
    "a number with a life of its own": alive(f"def __int__(self):{LOOP}", "return Evil(1)", base="(int)"),
    "every attribute": alive("def __getattr__(self, name): return self\n    def __call__(self, *a, **k): return self"),
    "another type": Harm("is not what was promised", "return [1, 2]", TOLD, output_type="String"),
}

ERRORS = {
    "a message of 100 MB": Harm(
        "floods", "raise ValueError('x' * 10**8)", ("ValueError", *LOST), time_s=3, memory_mb=900
    ),
    "a message that loops": Harm(
        "runs code when it is told",
        f"class Evil(Exception):\n    def __str__(self):{LOOP}\nraise Evil",
        ("timeout",),
    ),
    "a message that raises": Harm(
        "runs code when it is told",
        "class Evil(Exception):\n    def __str__(self): raise BaseException('no')\nraise Evil",
        ("Evil", *LOST, "BaseException"),
    ),
    "an error with a long name": Harm("floods", "raise type('E' * 10**6, (Exception,), {})('x')", ("E" * 200, *LOST)),
    "a chain of errors": Harm(
        "is deep",
        "error = None\nfor n in range(100_000):\n    new = ValueError(n)\n    new.__cause__ = error\n    error = new\n"
        "raise error",
        ("ValueError", *LOST),
        time_s=3,
    ),
    "an error of the platform": Harm(
        "says that it was the platform",
        "from hfreg.errors import NotApproved\nraise NotApproved('not approved')",
        ("NotApproved", "ScoringError", "NotApproved"),
    ),
    "a time limit of its own": Harm(
        "says that it was the time",
        "from hfreg.errors import ScoringTimeout\nraise ScoringTimeout('timed out')",
        ("ScoringTimeout", "timeout", "ScoringError", "error"),
    ),
    "recursion": Harm("is deep", "def f(): return f()\nreturn f()", ("RecursionError",)),
    "exit": Harm("ends", "sys.exit(3)", ("SystemExit",)),
    "an interrupt": Harm("ends", "raise KeyboardInterrupt", ("KeyboardInterrupt",)),
}

OUTPUT = {
    "print without end": Harm("floods", "while True: print('x' * 1000)", ("timeout", "ProtocolError")),
    "print 100 MB": Harm(
        "floods", "print('x' * 10**8)\nreturn 'answered'", ("ok", *LOST, "ProtocolError"), time_s=3, memory_mb=900
    ),
    "print text that is none": Harm("cannot be written", "print('\\ud800\\x00\\x1b[2J')\nreturn 'answered'", ("ok",)),
    "write without end": Harm("floods the log", "while True: os.write(2, b'x' * 1000)", ("timeout",)),
    "write lines like the platform's": Harm(
        "speaks as if it were the platform",
        "os.write(1, b'{\"kind\": \"outcome\"}\\n' * 1000)\nreturn 'answered'",
        ("ok",),
    ),
    "pieces without end": Harm("floods", "while True: yield 'x' * 1000", ("timeout", "ProtocolError")),
    "pieces of 10 MB": Harm(
        "floods",
        "for _ in range(9): yield 'x' * 10**7",
        ("OutputError", "ProtocolError", "timeout", "ScoringError"),
        time_s=3,
        memory_mb=600,
    ),
    "warnings without end": Harm("floods", "import warnings\nwhile True: warnings.warn('x' * 1000)", ("timeout",)),
    "logging without end": Harm(
        "floods", "import logging\nwhile True: logging.getLogger('hfreg').error('x' * 1000)", ("timeout",)
    ),
}

SAID = {**ANSWERS, **ERRORS, **OUTPUT}
