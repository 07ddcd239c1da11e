"""Attacks on processes: those of the app and of others to read, signal, trace or slow, and new ones to start.

`victim` is a process of the same user, `app` the one that serves the page, `zygote` and `other` those of the engine;
`address` is where a text lies in the memory of the app, `size` its length.
"""

from __future__ import annotations

from tests.attacks.attack import Attack

TEXT = "what the process keeps"
YAMA = "a machine may let nobody trace but a parent"
STARTED = "a new process"
REACHED = "the process hears of it"
UNSEEN = {"app": YAMA, "zygote": YAMA, "other": "a worker hides itself from all of its user"}

READ = {
    f"read {what} of the {who}": Attack(
        TEXT,
        f"return open(f'/proc/{{{name}}}/{what}', 'rb').read(9)",
        unless=UNSEEN[name] if what in {"environ", "maps"} else "",
    )
    for who, name in (("app", "app"), ("zygote", "zygote"), ("worker of another model", "other"))
    for what in ("environ", "maps", "cmdline", "status")
} | {
    "list the processes": Attack(TEXT, "return os.listdir('/proc')"),
    "list the descriptors of the app": Attack(TEXT, "return os.listdir(f'/proc/{app}/fd')", unless=YAMA),
    "open a descriptor of the app": Attack(
        TEXT, "return open(f'/proc/{app}/fd/{app_descriptor}', 'rb').read(9)", unless=YAMA
    ),
    "list the folder that the app works in": Attack(TEXT, "return os.listdir(f'/proc/{app}/cwd')", unless=YAMA),
    "list the root of the app": Attack(TEXT, "return os.listdir(f'/proc/{app}/root/')", unless=YAMA),
    "list the threads of the app": Attack(TEXT, "return os.listdir(f'/proc/{app}/task')"),
    "read the memory of the app as a file": Attack(
        TEXT, "file = open(f'/proc/{app}/mem', 'rb', 0)\nfile.seek(address)\nreturn file.read(size)", unless=YAMA
    ),
    "read the memory of the app": Attack(
        TEXT,
        "here = ctypes.create_string_buffer(size)\n"
        "local = struct.pack('PN', ctypes.addressof(here), size); remote = struct.pack('PN', address, size)\n"
        "checked(libc.process_vm_readv(app, local, 1, remote, 1, 0))\nreturn here.raw",
        unless=YAMA,
    ),
    "write the memory of the app": Attack(
        REACHED,
        "here = ctypes.create_string_buffer(b'x', 1)\n"
        "local = struct.pack('PN', ctypes.addressof(here), 1); remote = struct.pack('PN', address, 1)\n"
        "return checked(libc.process_vm_writev(app, local, 1, remote, 1, 0)) == 1",
        unless=YAMA,
    ),
    "trace another process": Attack(
        REACHED,
        "checked(libc.ptrace(0x4206, victim, None, None))\nlibc.ptrace(17, victim, None, None)\nreturn True",
        unless=YAMA,
    ),
    "compare itself with the app": Attack(
        REACHED, "return syscall(312, 272, os.getpid(), app, 1, 0, 0) >= 0", unless=YAMA
    ),
    "see the locks that a thread of the app holds": Attack(
        TEXT,
        "a, b = ctypes.c_long(), ctypes.c_long()\n"
        "syscall(274, 100, app, ctypes.byref(a), ctypes.byref(b))\nreturn True",
        unless=YAMA,
    ),
}

REACH = {
    "signal the app": Attack(REACHED, "os.kill(app, 0)\nreturn True"),
    "signal its parent": Attack(REACHED, "os.kill(os.getppid(), 0)\nreturn True"),
    "signal the zygote": Attack(REACHED, "os.kill(zygote, signal.SIGCONT)\nreturn True"),
    "signal the worker of another model": Attack(REACHED, "os.kill(other, signal.SIGCONT)\nreturn True"),
    "signal another process": Attack(REACHED, "os.kill(victim, signal.SIGCONT)\nreturn True"),
    "signal the group of another process": Attack(
        REACHED, "os.killpg(os.getpgid(victim), signal.SIGCONT)\nreturn True"
    ),
    "signal a group by its number": Attack(REACHED, "os.kill(-victim, signal.SIGCONT)\nreturn True"),
    "signal everything": Attack(REACHED, "os.kill(-1, 0)\nreturn True"),
    "signal a thread": Attack(REACHED, "syscall(234, 131, app, app, 0)\nreturn True"),
    "signal a thread by its number alone": Attack(REACHED, "syscall(200, 130, app, 0)\nreturn True"),
    "queue a signal": Attack(
        REACHED, "syscall(129, 138, victim, 18, struct.pack('iii', 18, 0, -1) + bytes(116))\nreturn True"
    ),
    "signal by a handle": Attack(REACHED, "signal.pidfd_send_signal(os.pidfd_open(victim), 0)\nreturn True"),
    "a handle of the app": Attack(REACHED, "return os.pidfd_open(app) > 0"),
    "a handle of the peer of its channel": Attack(
        REACHED,
        "channel = socket.socket(fileno=os.dup(3))\nreturn struct.unpack('i', channel.getsockopt(1, 77, 4))[0] > 0",
        unless="it needs Linux 6.5",
    ),
    "take a descriptor of the app": Attack(
        TEXT, "return syscall(438, 438, os.pidfd_open(app), app_descriptor, 0) > 0", unless=YAMA
    ),
    "have a signal sent by a descriptor": Attack(
        REACHED, "end = os.pipe()[0]\nfcntl.fcntl(end, fcntl.F_SETOWN, victim)\nfcntl.fcntl(end, 10, 9)\nreturn True"
    ),
    "set the limits of another process": Attack(
        REACHED, "resource.prlimit(victim, resource.RLIMIT_CORE, (0, 0))\nreturn True"
    ),
    "read the limits of the app": Attack(REACHED, "return resource.prlimit(app, resource.RLIMIT_NOFILE)"),
    "set the processors of another process": Attack(
        REACHED, "os.sched_setaffinity(victim, os.sched_getaffinity(victim))\nreturn True"
    ),
    "slow another process down": Attack(REACHED, "os.setpriority(os.PRIO_PROCESS, victim, 19)\nreturn True"),
    "ask for the priority of all processes of the user": Attack(
        REACHED, "os.getpriority(os.PRIO_USER, os.getuid())\nreturn True"
    ),
    "schedule another process": Attack(
        REACHED, "os.sched_setscheduler(victim, os.SCHED_BATCH, os.sched_param(0))\nreturn True"
    ),
    "delay the disk for another process": Attack(REACHED, "syscall(251, 30, 1, victim, 3 << 13)\nreturn True"),
    "move the memory of another process": Attack(
        REACHED,
        "syscall(256, 238, victim, 8, struct.pack('Q', 1), struct.pack('Q', 1))\nreturn True",
        unless="a kernel without NUMA has no such call",
    ),
    "ask for the session of the app": Attack(REACHED, "return os.getsid(app)"),
    "ask for the group of the app": Attack(REACHED, "return os.getpgid(app)"),
}

START = {
    "fork": Attack(STARTED, "child = os.fork()\nif not child: os._exit(0)\nreturn child"),
    "fork by number": Attack(
        STARTED, "child = syscall(56, 220, 17, 0, 0, 0, 0)\nif not child: os._exit(0)\nreturn child"
    ),
    "clone and have its parent wait": Attack(
        STARTED, "child = syscall(56, 220, 0x4011, 0, 0, 0, 0)\nif not child: libc._exit(0)\nreturn child"
    ),
    "clone3": Attack(
        STARTED,
        "child = syscall(435, 435, struct.pack('11Q', 0, 0, 0, 0, 17, *[0] * 6), 88)\n"
        "if not child: os._exit(0)\nreturn child",
    ),
    "a new user namespace by clone": Attack(
        STARTED,
        "child = syscall(56, 220, 0x10000011, 0, 0, 0, 0)\nif not child: os._exit(0)\nreturn child",
        unless="some machines let only root make one",
    ),
    "a terminal of its own": Attack(
        STARTED, "import pty\nchild, end = pty.fork()\nif not child: os._exit(0)\nreturn child"
    ),
    "spawn": Attack(STARTED, "return os.posix_spawn('/bin/true', ['true'], {})"),
    "become another program": Attack(STARTED, "os.execv('/bin/echo', ['echo', '[true, \"echo\"]'])"),
    "become another program by a descriptor": Attack(
        STARTED,
        "syscall(322, 281, os.open('/bin/echo', os.O_PATH), b'', struct.pack('PPP', "
        "*(ctypes.cast(ctypes.c_char_p(t), ctypes.c_void_p).value for t in (b'echo', b'[true, \"echo\"]')), 0), "
        "struct.pack('P', 0), 0x1000)",
    ),
    "become a program in memory": Attack(
        STARTED,
        "fd = os.memfd_create('x')\nos.write(fd, Path('/bin/echo').read_bytes())\n"
        "os.execve(fd, ['echo', '[true, \"echo\"]'], {})",
    ),
    "become a program in its scratch folder": Attack(
        STARTED,
        "Path('run').write_text('#!/bin/echo [true]\\n')\nos.close(os.open('run2', os.O_CREAT | os.O_WRONLY, "
        "0o755))\nPath('run2').write_text('#!/bin/sh\\necho [true]\\n')\nos.execv('./run2', ['run2'])",
    ),
    "run a program": Attack(STARTED, "return subprocess.check_output(['/bin/echo', 'run'])"),
    "run a line of the shell": Attack(
        STARTED, "if (status := os.system('true')) != 0: raise PermissionError(status)\nreturn True"
    ),
    "open a pipe to the shell": Attack(STARTED, "return os.popen('echo run').read()"),
    "another Python": Attack(STARTED, "return subprocess.check_output([sys.executable, '-c', 'print(1)'])"),
    "a process of multiprocessing": Attack(
        STARTED,
        "import multiprocessing\nchild = multiprocessing.get_context('fork').Process(target=int)\n"
        "child.start()\nreturn child.pid",
    ),
    "a pool of processes": Attack(
        STARTED,
        "import concurrent.futures, multiprocessing\n"
        "context = multiprocessing.get_context('fork')\n"
        "with concurrent.futures.ProcessPoolExecutor(1, context) as pool: return pool.submit(os.getpid).result(9)",
    ),
}

PROCESSES = {**READ, **REACH, **START}
