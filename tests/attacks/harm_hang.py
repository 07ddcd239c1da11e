"""Harm by time: loops, locks and sleeps that nothing inside the process can end, in Python and in C."""

from __future__ import annotations

from tests.attacks.attack import Harm

STOPPED = ("timeout",)

HANG = {
    "loop in Python": Harm("runs for ever", "while True: pass", STOPPED),
    "loop that catches everything": Harm(
        "runs for ever", "while True:\n    try:\n        while True: pass\n    except BaseException: pass", STOPPED
    ),
    "loop in C": Harm("holds the lock of Python", "import itertools\nreturn all(itertools.repeat(1))", STOPPED),
    "sum without end": Harm("holds the lock of Python", "return sum(range(10**15))", STOPPED),
    "pattern that backtracks": Harm(
        "holds the lock of Python", "import re\nreturn re.match(r'(a+)+$', 'a' * 60 + 'b')", STOPPED
    ),
    "power of large numbers": Harm("holds the lock of Python", "return 7 ** (10 ** 9)", (*STOPPED, "MemoryError")),
    "text of a large number": Harm(
        "holds the lock of Python",
        "sys.set_int_max_str_digits(0)\nreturn str(1 << (1 << 27))",
        (*STOPPED, "MemoryError"),
    ),
    "sort that compares for ever": Harm(
        "calls back for ever",
        "class Slow:\n    def __lt__(self, other):\n        while True: pass\nreturn sorted([Slow(), Slow()])",
        STOPPED,
    ),
    "numbers that collide": Harm("holds the lock of Python", "return {n * (2**61 - 1) for n in range(10**6)}", STOPPED),
    "sleep in C with the lock held": Harm("holds the lock of Python", "ctypes.PyDLL(None).sleep(100)", STOPPED),
    "sleep": Harm("waits", "time.sleep(100)", STOPPED),
    "sleep of days": Harm("waits", "time.sleep(10**6)", STOPPED),
    "wait for a lock it holds": Harm("waits", "lock = threading.Lock()\nlock.acquire()\nlock.acquire()", STOPPED),
    "wait for a file it locked itself": Harm(
        "waits",
        "a, b = open('lock', 'w'), open('lock', 'w')\nfcntl.flock(a, fcntl.LOCK_EX)\nfcntl.flock(b, fcntl.LOCK_EX)",
        STOPPED,
    ),
    "wait for a thread that never ends": Harm(
        "waits", "thread = threading.Thread(target=threading.Event().wait)\nthread.start()\nthread.join()", STOPPED
    ),
    "wait for a signal": Harm("waits", "signal.pause()", STOPPED),
    "read from a pipe that nobody writes to": Harm("waits", "os.read(os.pipe()[0], 1)", STOPPED),
    "read from its channel": Harm("takes what is for the worker", "os.read(3, 1)", STOPPED),
    "stop itself": Harm("is asleep for good", "os.kill(os.getpid(), signal.SIGSTOP)\nreturn 'woken'", STOPPED),
    "be deaf to all signals": Harm(
        "heeds nothing",
        "for n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "while True: pass",
        STOPPED,
    ),
    "block all signals": Harm(
        "heeds nothing", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass", STOPPED
    ),
    "storm of signals to itself": Harm(
        "interrupts itself for ever",
        "signal.signal(signal.SIGALRM, lambda *_: None)\nsignal.setitimer(signal.ITIMER_REAL, 1e-5, 1e-5)\n"
        "while True: pass",
        STOPPED,
    ),
    "follow every line": Harm(
        "is slow for ever",
        "sys.settrace(lambda *_: (lambda *_: time.sleep(1)))\ndef f(): return 1\nwhile True: f()",
        STOPPED,
    ),
    "threads that burn": Harm(
        "uses all processors",
        "import hashlib\nfor _ in range(64):\n"
        "    threading.Thread(target=lambda: [hashlib.sha256(bytes(1 << 22)) for _ in iter(int, 1)]).start()\n"
        "while True: pass",
        STOPPED,
    ),
    "a product of large matrices": Harm(
        "uses the processor in C",
        "import torch\na = torch.rand(2000, 2000)\nwhile True: a = a @ a",
        STOPPED,
        memory_mb=400,
    ),
    "a stream without end": Harm("yields for ever", "while True: yield 'x'", (*STOPPED, "ProtocolError")),
    "a stream that hangs": Harm("yields once", "yield 'x'\ntime.sleep(100)", STOPPED),
    "a finalizer that hangs": Harm(
        "hangs where nothing is called",
        "class Evil:\n    def __del__(self):\n        while True: pass\nEvil()\nreturn 'never'",
        STOPPED,
    ),
    "an answer whose end hangs": Harm(
        "hangs after it answered",
        "class Evil(dict):\n    def __del__(self):\n        while True: pass\nreturn Evil(a=1)",
        ("ok", *STOPPED),
        then=("fine", "timeout"),
    ),
    "a collector that hangs": Harm(
        "hangs when memory is tidied",
        "import gc\ndef hang(*_):\n    while True: pass\ngc.callbacks.append(hang)\ngc.collect()",
        STOPPED,
    ),
    "threads that burn after the answer": Harm(
        "uses the processor when nobody asks",
        "def burn():\n    while True: pass\n"
        "for _ in range(4): threading.Thread(target=burn, daemon=True).start()\nreturn 'answered'",
        ("ok",),
        then=("fine", "timeout"),
    ),
    "an import that hangs": Harm(
        "holds what all imports wait for",
        "Path('slow_one.py').write_text('while True: pass')\nsys.path.insert(0, os.getcwd())\nimport slow_one",
        STOPPED,
    ),
    "an end that never comes": Harm(
        "hangs when it exits", "import atexit\natexit.register(time.sleep, 100)\nsys.exit(0)", ("SystemExit",)
    ),
    "an end that never comes, from C": Harm(
        "hangs when it exits",
        "hang = ctypes.CFUNCTYPE(None)(lambda: time.sleep(100))\nctypes.CDLL(None).__cxa_atexit(hang, None, None)\n"
        "ctypes.CDLL(None).exit(0)",
        (*STOPPED, "ProcessEnded"),
    ),
    "loading that never ends": Harm(
        "says that it loads, for which the clock stands still",
        "tell(kind='event', event='loading', data={'what': 'nothing'})\nwhile True: pass",
        STOPPED,
    ),
    "compile without end": Harm(
        "holds the lock of Python",
        "return eval('+'.join(['1'] * 3_000_000))",
        (*STOPPED, "MemoryError", "RecursionError", "ProcessEnded", "ok"),
        time_s=1.0,
    ),
}
