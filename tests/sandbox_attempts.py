"""What tests/test_sandbox.py tries from inside a sandbox, as Python sources with names of what lies outside.

Names: `outside` (a folder of the same user), `secret` (a file in it), `model` (a readable file), `victim` (a process
of the same user), `port`, `datagrams` (of loopback listeners), `listener` (a socket file) and the modules and functions
of tests/sandbox_child.py. A source that ends has succeeded; each does nothing that would disturb the next.
"""

from __future__ import annotations

FILES = {
    "read a file": "secret.read_text()",
    "list a folder": "os.listdir(outside)",
    "list a folder by descriptor": "os.listdir(os.open(outside, os.O_RDONLY))",
    "list the processes": "os.listdir('/proc')",
    "change into a folder and read there": (
        "back = os.getcwd(); os.chdir(outside)\ntry: Path('secret').read_text()\nfinally: os.chdir(back)"
    ),
    "read below a descriptor that opens nothing": "os.open('secret', os.O_RDONLY, dir_fd=os.open(outside, os.O_PATH))",
    "read through a link made in the scratch folder": "os.symlink(secret, 'link'); Path('link').read_text()",
    "read through /proc/self/root": "Path(f'/proc/self/root{secret}').read_text()",
    "read through /proc/self/cwd": "Path('/proc/self/cwd/../outside/secret').read_text()",
    "reopen through /proc/self/fd": "os.open(f'/proc/self/fd/{os.open(secret, os.O_PATH)}', os.O_RDONLY)",
    "read the list of users": "Path('/etc/passwd').read_text()",
    "read the environment": "Path('/proc/self/environ').read_bytes()",
    "read the memory of itself as a file": "open('/proc/self/mem', 'rb')",
    "read the mounts": "Path('/proc/self/mountinfo').read_text()",
    "read the connections of the machine": "Path('/proc/self/net/tcp').read_text()",
    "read them through a thread": "Path(f'/proc/self/task/{os.getpid()}/net/tcp').read_text()",
    "read the command line of another process": "Path(f'/proc/{victim}/cmdline').read_text()",
    "read the state of another process": "Path(f'/proc/{victim}/status').read_text()",
    "list the descriptors of another process": "os.listdir(f'/proc/{victim}/fd')",
    "write into a file": "secret.open('a').write('x')",
    "create a file": "(outside / 'new').write_text('x')",
    "create a file without a name": "os.open(outside, os.O_TMPFILE | os.O_RDWR, 0o600)",
    "create a folder": "(outside / 'folder').mkdir()",
    "create shared memory": "os.open('/dev/shm/hfreg-test', os.O_CREAT | os.O_RDWR); os.unlink('/dev/shm/hfreg-test')",
    "remove a file": "(outside / 'spare').unlink()",
    "move a file out": "Path('a').write_text('x'); os.rename('a', outside / 'a')",
    "move a file in": "os.rename(outside / 'wanted', 'wanted')",
    "link a file in": "os.link(secret, 'hard')",
    "link a model in": "os.link(model, 'model')",
    "cut a file": "os.truncate(outside / 'cut', 0)",
    "cut a model while reading it": "os.open(outside / 'cut', os.O_RDONLY | os.O_TRUNC)",
    "open with the fourth access mode": "os.open(secret, 3)",
    "write into a model": "model.open('r+b')",
    "remove a model": "(model.parent / 'spare').unlink()",
    "make a pipe with a name": "os.mkfifo('pipe')",
    "change the owner": "os.chown(model, os.getuid(), os.getgid())",
    "set an attribute": "os.setxattr(secret, 'user.x', b'x')",
    "watch a folder": "checked(libc.inotify_add_watch(checked(libc.inotify_init1(0)), bytes(outside), 0x100))",
    "lock out writers with a lease": "fcntl.fcntl(os.open(model, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
}

PROCESSES = {
    "fork": "if not (pid := os.fork()): os._exit(0)\nos.waitpid(pid, 0)",
    "fork by number": "if not (pid := syscall(56, 220, 17, 0, 0, 0, 0)): os._exit(0)\nos.waitpid(pid, 0)",
    "spawn": "os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
    "run a program": "subprocess.run(['/bin/true'], check=True)",
    "signal another process": "os.kill(victim, signal.SIGCONT)",
    "ask whether a process is there": "os.kill(victim, 0)",
    "signal the group of another process": "os.killpg(victim, 0)",
    "signal a thread of another process": "syscall(234, 131, victim, victim, 0)",
    "signal a thread by its number alone": "syscall(200, 130, victim, 0)",
    "signal everything": "os.kill(-1, 0)",
    "signal through a handle": "signal.pidfd_send_signal(os.pidfd_open(victim), 0)",
    "signal by a descriptor": "fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, victim)",
    "choose that signal": "fcntl.fcntl(os.pipe()[0], 10, 9)",
    "read the memory of another process": "checked(libc.process_vm_readv(victim, None, 0, None, 0, 0))",
    "write the memory of another process": "checked(libc.process_vm_writev(victim, None, 0, None, 0, 0))",
    "compare with another process": "syscall(312, 272, os.getpid(), victim, 1, 0, 0)",
    "set the processors of another process": "os.sched_setaffinity(victim, os.sched_getaffinity(victim))",
    "set the limits of another process": "resource.prlimit(victim, resource.RLIMIT_CORE, (0, 0))",
    "set the priority of another process": "os.setpriority(os.PRIO_PROCESS, victim, 19)",
    "ask for the session of another process": "os.getsid(victim)",
    "leave its session": "os.setsid()",
    "stop sharing with its parent": "checked(libc.unshare(0))",
    "be the parent of orphans": "checked(libc.prctl(36, 1, 0, 0, 0)); libc.prctl(36, 0, 0, 0, 0)",
    "be readable again": "checked(libc.prctl(4, 1, 0, 0, 0))",
    "outlive its parent": "checked(libc.prctl(1, 0, 0, 0, 0))",
    "have descriptors of its own in a thread": "syscall(436, 436, 1000, 1001, 2)",
    "larger pipes": "fcntl.fcntl(os.pipe()[0], 1031, 1 << 20)",
    "memory without a file": "os.memfd_create('x')",
    "System V shared memory": "libc.shmctl(checked(libc.shmget(0, 4096, 0o600)), 0, None)",
    "System V semaphores": "libc.semctl(checked(libc.semget(0, 1, 0o600)), 0, 0)",
    "System V queues": "libc.msgctl(checked(libc.msgget(0, 0o600)), 0, None)",
    "keys": "syscall(250, 219, 0, -3, 0)",
    "another persona": "checked(libc.personality(0xFFFFFFFF))",
}

PRIVILEGED = {
    "trace": "checked(libc.ptrace(0x4206, victim, None, None)); libc.ptrace(17, victim, None, None)",
    "mount": "checked(libc.mount(b'none', bytes(outside), b'tmpfs', 0, None)); libc.umount2(bytes(outside), 2)",
    "mount by descriptor": "os.close(syscall(430, 430, b'tmpfs', 0))",
    "change the root": "os.chroot('/')",
    "name the machine": "name = os.uname().nodename.encode(); checked(libc.sethostname(name, len(name)))",
    "read the kernel's log": "checked(libc.klogctl(10, None, 0))",
    "a table in the kernel": "os.close(syscall(321, 280, 0, struct.pack('12I', 2, 4, 4, 1, *[0] * 8), 48))",
    "watch all files": "os.close(checked(libc.fanotify_init(0, 0)))",
    "make a device": "os.mknod('device', stat.S_IFCHR | 0o600, os.makedev(1, 3))",
    "become another user": "os.setresuid(0, 0, 0)",
    "change groups": "os.setgroups([])",
    "a packet socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()",
}
"""What only root can do unconfined, and not in every container."""

SOCKETS = {
    "TCP": "socket.create_connection(('127.0.0.1', port), 5).close()",
    "TCP version 6": "socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()",
    "a server": "with socket.socket() as s: s.bind(('127.0.0.1', 0)); s.listen()",
    "a server at a port that it did not choose": "with socket.socket() as s: s.listen()",
    "TCP in the first packet": "with socket.socket() as s: s.sendto(b'x', 0x20000000, ('127.0.0.1', port))",
    "a socket that is a file": "with socket.socket(socket.AF_UNIX) as s: s.connect(str(listener))",
    "an abstract socket": "with socket.socket(socket.AF_UNIX) as s: s.connect(chr(0) + listener.name + str(port))",
    "datagrams to a file": "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).close()",
    "a pair of datagrams": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "a pair of packets": "socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()",
    "a filter on a socket": (
        "code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0))\n"
        "socket.socketpair()[0].setsockopt(1, 26, struct.pack('HxxxxxxP', 1, ctypes.addressof(code)))"
    ),
}
"""Refused with and without network."""

INTERNET = {
    "UDP": "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.sendto(b'x', ('127.0.0.1', datagrams))",
    "a socket": "socket.socket().close()",
}
"""Refused without network only."""

ALLOWED = {
    "write, list, move and remove in the scratch folder": (
        "Path('d').mkdir(); Path('d/a').write_text('x'); os.rename('d/a', 'b'); assert 'b' in os.listdir('.')\n"
        "shutil.copy2('b', 'c'); os.symlink('b', 'e'); Path('e').read_text(); shutil.rmtree('d'); os.unlink('b')"
    ),
    "a temporary file": (
        "tempfile.tempdir = os.getcwd()\nwith tempfile.TemporaryFile() as f: f.write(b'x'); f.truncate(0)"
    ),
    "read a model": "assert model.read_bytes() and os.listdir(model.parent)",
    "threads": "t = threading.Thread(target=time.sleep, args=(0.01,)); t.start(); t.join()",
    "a callback of C": "assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(abs)(-3) == 3",
    "a pool of threads": ("with concurrent.futures.ThreadPoolExecutor(4) as pool: list(pool.map(abs, range(9)))"),
    "an event loop": "asyncio.run(asyncio.sleep(0.01))",
    "a pair of streams": "a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'",
    "devices": ("os.urandom(4); open('/dev/urandom', 'rb').read(4); open('/dev/null', 'w').write('x')"),
    "its own state": (
        "Path('/proc/self/status').read_text(); os.listdir('/proc/self/task'); os.listdir('/proc/self/fd')"
    ),
    "a hold on those files, which the kernel otherwise forgets": (
        "links = [f'/proc/self/fd/{name}' for name in os.listdir('/proc/self/fd')]\n"
        "held = [os.readlink(link) for link in links if os.path.lexists(link)]\n"
        "assert f'/proc/{os.getpid()}/status' in held and '/proc/cpuinfo' in held, held"
    ),
    "what machine it is": "Path('/proc/cpuinfo').read_text(); Path('/proc/meminfo').read_text(); assert os.cpu_count()",
    "a signal to itself": (
        "os.kill(os.getpid(), 0); signal.raise_signal(signal.SIGCHLD); signal.setitimer(0, 9); signal.alarm(0)"
    ),
    "its processors": "os.sched_setaffinity(0, os.sched_getaffinity(0)); os.nice(1)",
    "a limit that goes down": "resource.setrlimit(resource.RLIMIT_NOFILE, (250, 250))",
    "a lock": "fcntl.flock(open('lock', 'w'), fcntl.LOCK_EX)",
    "the name of a thread": "checked(libc.prctl(15, b'worker', 0, 0, 0))",
    "modes and times, without effect": (
        "os.utime(model, (0, 0)); os.chmod(model, 0o777); Path('t').touch(); os.chmod('t', 0o600)"
    ),
    "extended attributes as if there were none": (
        "try: os.listxattr(model)\nexcept OSError as error: assert error.errno == errno.ENOTSUP"
    ),
    "killed with its parent": (
        "signal_of_death = ctypes.c_int(); checked(libc.prctl(2, ctypes.byref(signal_of_death), 0, 0, 0))\n"
        "assert signal_of_death.value == 9, signal_of_death"
    ),
    "no core, no capability, no new one": (
        "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\nstate = Path('/proc/self/status').read_text()\n"
        "none = 16 * '0'\n"
        "for line in (f'CapEff:\\t{none}', f'CapPrm:\\t{none}', 'NoNewPrivs:\\t1', 'Seccomp:\\t2'):\n"
        "    assert line in state, line"
    ),
    "a call that a later kernel brings": (
        "try: syscall(9999, 9999)\nexcept OSError as error: assert error.errno == errno.ENOSYS"
    ),
}
"""What scoring logic and its libraries do, and can go on doing."""

IMPORTS = {
    "import what was not imported": "import ssl, sqlite3, mimetypes, colorsys; mimetypes.guess_type('a.png')",
    "import what needs a library": "import pandas; pandas.DataFrame({'a': [1]}).sum()",
}
"""What needs a Python that the user of the child may read."""
