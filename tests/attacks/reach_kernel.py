"""Attacks on the confinement itself and on the kernel: to undo a layer, to gain rights, to use what few need."""

from __future__ import annotations

from tests.attacks.attack import Attack

HELD = "the kernel does it"
USERS = "some machines let only root make one"

NAMESPACES = {
    "a user namespace of its own": Attack(HELD, "checked(libc.unshare(0x10000000))\nreturn True", unless=USERS),
    "a mount namespace of its own": Attack(HELD, "checked(libc.unshare(0x00020000))\nreturn True", root=True),
    "a network of its own": Attack(HELD, "checked(libc.unshare(0x40000000))\nreturn True", root=True),
    "descriptors of its own": Attack(HELD, "checked(libc.unshare(0x400))\nreturn True"),
    "enter a namespace of the app": Attack(
        HELD,
        "checked(libc.setns(os.open(f'/proc/{app}/ns/user', os.O_RDONLY), 0))\nreturn True",
        unless="a process never enters the user namespace it is in",
    ),
    "enter all namespaces of the app": Attack(
        HELD, "checked(libc.setns(os.pidfd_open(app), 0x20000))\nreturn True", root=True
    ),
    "mount": Attack(
        HELD,
        "checked(libc.mount(b'none', os.getcwd().encode(), b'tmpfs', 0, None))\n"
        "libc.umount2(os.getcwd().encode(), 2)\nreturn True",
        root=True,
    ),
    "mount by descriptor": Attack(HELD, "return syscall(430, 430, b'tmpfs', 0) > 0", root=True),
    "clone a tree of mounts": Attack(HELD, "return syscall(428, 428, -100, b'/', 1) > 0", root=True),
    "change the root": Attack(HELD, "os.chroot('/')\nreturn True", root=True),
    "swap the root": Attack(
        HELD, "syscall(155, 41, b'/', b'/')\nreturn True", unless="the root that a machine began with cannot be swapped"
    ),
}

UNDO = {
    "be readable again": Attack(HELD, "checked(libc.prctl(4, 1, 0, 0, 0))\nreturn True"),
    "outlive its parent": Attack(HELD, "checked(libc.prctl(1, 0, 0, 0, 0))\nreturn True"),
    "be the parent of orphans": Attack(HELD, "checked(libc.prctl(36, 1, 0, 0, 0))\nreturn True"),
    "be traced by all": Attack(
        HELD, "checked(libc.prctl(0x59616D61, -1, 0, 0, 0))\nreturn True", unless="it needs a kernel with Yama"
    ),
    "another filter": Attack(
        HELD,
        "code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7FFF0000))\n"
        "syscall(317, 277, 1, 8, struct.pack('HxxxxxxP', 1, ctypes.addressof(code)))\nreturn True",
        unless="it needs no_new_privs first",
    ),
    "another Landlock": Attack(
        HELD, "return syscall(444, 444, struct.pack('Q', 1), 8, 0) > 0", unless="it needs Landlock"
    ),
    "leave its session": Attack(HELD, "os.setsid()\nreturn True", unless="the leader of a group of processes cannot"),
    "move to another group of processes": Attack(
        HELD, "os.setpgid(0, 0)\nreturn True", unless="the leader of a session cannot"
    ),
    "raise the limit of addresses": Attack(
        HELD,
        "soft, hard = resource.getrlimit(resource.RLIMIT_AS)\nmore = hard + 4096 if hard > 0 else hard\n"
        "resource.setrlimit(resource.RLIMIT_AS, (more, more))\nreturn True",
        refused=("ValueError",),
    ),
    "raise the limit of descriptors": Attack(
        HELD,
        "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1000), hard))\n"
        "return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 1000",
        refused=("ValueError",),
    ),
    "raise a limit by number": Attack(
        HELD, "syscall(302, 261, 0, 9, struct.pack('QQ', (1 << 64) - 1, (1 << 64) - 1), None)\nreturn True"
    ),
    "write larger files": Attack(HELD, "file = open('large', 'wb')\nfile.truncate(200 << 20)\nreturn True"),
    "run code of another kind of processor": Attack(
        HELD,
        "code = mmap.mmap(-1, 4096, prot=7)\n"
        # push rbx; mov eax, 20 (getpid of 32 bits); int 0x80; pop rbx; ret
        "code.write(bytes.fromhex('53b814000000cd805bc3'))\n"
        "call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))\n"
        "if (found := call()) != os.getpid(): raise OSError(38, found)\nreturn True",
        refused=("ProcessEnded",),
        unless="it needs x86-64 and a kernel that runs 32 bits",
        ends=("OSError", "ended"),
    ),
    "a call of the x32 kind": Attack(
        HELD,
        "return syscall(0x40000000 + 39, 172) == os.getpid() and platform.machine() == 'x86_64'",
        unless="few kernels have them",
    ),
    "another persona": Attack(HELD, "checked(libc.personality(0x0040000))\nreturn True"),
}

RIGHTS = {
    "become root": Attack(HELD, "os.setresuid(0, 0, 0)\nreturn True", root=True),
    "become another user": Attack(HELD, "os.setresuid(12345, 12345, 12345)\nreturn True", root=True),
    "change groups": Attack(HELD, "os.setgroups([0])\nreturn True", root=True),
    "take capabilities": Attack(
        HELD,
        "checked(libc.capset(struct.pack('Ii', 0x20080522, 0), struct.pack('6I', 1 << 21, 1 << 21, *[0] * 4)))\n"
        "return True",
        root=True,
    ),
    "a key of the kernel": Attack(HELD, "return syscall(250, 219, 0, -3, 1) > 0", unless="some kernels have no keys"),
    "add a key": Attack(
        HELD, "return syscall(248, 217, b'user', b'x', b'x', 1, -1) > 0", unless="some kernels have no keys"
    ),
    "a program in the kernel": Attack(
        HELD, "return syscall(321, 280, 0, struct.pack('12I', 2, 4, 4, 1, *[0] * 8), 48) > 0", root=True
    ),
    "watch events of the processor": Attack(
        HELD,
        "return syscall(298, 241, struct.pack('IIQ', 1, 112, 0) + bytes(96), 0, -1, -1, 0) > 0",
        unless="many machines let only root, or have none",
    ),
    "handle page faults": Attack(HELD, "return syscall(323, 282, 1) > 0", unless="some kernels have no such call"),
    "memory without a file": Attack(HELD, "return os.memfd_create('x') > 0"),
    "memory that even the kernel does not read": Attack(
        HELD, "return syscall(447, 447, 0) > 0", unless="many kernels have it switched off"
    ),
    "shared memory of System V": Attack(
        HELD, "libc.shmctl(checked(libc.shmget(0, 4096, 0o600)), 0, None)\nreturn True", unless="some kernels have none"
    ),
    "semaphores of System V": Attack(
        HELD, "libc.semctl(checked(libc.semget(0, 1, 0o600)), 0, 0)\nreturn True", unless="some kernels have none"
    ),
    "queues of System V": Attack(
        HELD, "libc.msgctl(checked(libc.msgget(0, 0o600)), 0, None)\nreturn True", unless="some kernels have none"
    ),
    "queues of POSIX": Attack(
        HELD,
        "end = syscall(240, 180, b'hfreg-attack', os.O_CREAT | os.O_RDWR, 0o600, 0)\n"
        "syscall(241, 181, b'hfreg-attack')\nreturn end > 0",
        unless="some kernels have none",
    ),
    "the log of the kernel": Attack(
        HELD, "return checked(libc.klogctl(10, None, 0)) > 0", unless="some machines keep it for root"
    ),
    "name the machine": Attack(
        HELD, "name = os.uname().nodename.encode()\nchecked(libc.sethostname(name, len(name)))\nreturn True", root=True
    ),
    "set the clock": Attack(
        HELD,
        "syscall(164, 170, None, None)\nreturn True",
        root=True,  # to nothing: the clock stays as it is
    ),
    "reach the ports of devices": Attack(
        HELD, "return syscall(173, 9999, 0x80, 1, 1) == 0", root=True, unless="x86-64 alone has them"
    ),
    "load a module": Attack(
        HELD,
        "syscall(313, 273, -1, b'', 0)\nreturn True",
        unless="no module is at hand",
        ends=("OSError", "PermissionError"),
    ),
    "watch all files": Attack(HELD, "return checked(libc.fanotify_init(0, 0)) > 0", root=True),
    "count for every user": Attack(
        HELD, "syscall(179, 60, 0, b'/', 0, 0)\nreturn True", unless="few machines have quotas"
    ),
}

KERNEL = {**NAMESPACES, **UNDO, **RIGHTS}
