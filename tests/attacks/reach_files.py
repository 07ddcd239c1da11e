"""Attacks on files: those of the app, of other models and of the machine, to read, change or take them.

`spare` is a file of the app that exists for this attack alone, `folder` the one it lies in.
"""

from __future__ import annotations

from tests.attacks.attack import Attack

TEXT = "the text of the file"
LIST = "the names in the folder"
CHANGED = "the file is changed"
NO_XATTR = "some file systems have no extended attributes"

READ = {
    "read the definitions of all models": Attack(TEXT, "return Path(definitions).read_text()"),
    "read the log of calls": Attack(TEXT, "return Path(events).read_bytes()"),
    "read the log of calls as a database": Attack(
        "its tables",
        "import sqlite3\nreturn sqlite3.connect(f'file:{events}?mode=ro', uri=True).execute("
        "'select name from sqlite_master').fetchall()",
        refused=("OperationalError",),
    ),
    "read the token file": Attack(TEXT, "return Path(token_file).read_text()"),
    "list the home": Attack(LIST, "return os.listdir(home)"),
    "walk the home": Attack(LIST, "return [names for _, _, names in os.walk(home)]"),
    "list the home below /proc/self/root": Attack(LIST, "return os.listdir(f'/proc/self/root{home}')"),
    "list the home below a descriptor": Attack(LIST, "return os.listdir(os.open(home, os.O_RDONLY))"),
    "read below a descriptor that opens nothing": Attack(
        TEXT, "return os.read(os.open('definitions.json', os.O_RDONLY, dir_fd=os.open(home, os.O_PATH)), 9)"
    ),
    "reopen a descriptor that opens nothing": Attack(
        TEXT, "return os.read(os.open(f'/proc/self/fd/{os.open(definitions, os.O_PATH)}', os.O_RDONLY), 9)"
    ),
    "change into the home and read there": Attack(TEXT, "os.chdir(home)\nreturn open('definitions.json').read()"),
    "climb out of the scratch folder": Attack(LIST, "return [os.listdir('..'), os.listdir('../..')]"),
    "read through a symbolic link of its own": Attack(
        TEXT, "os.symlink(definitions, 'link')\nreturn open('link').read()"
    ),
    "map a file into memory": Attack(
        TEXT, "return mmap.mmap(os.open(definitions, os.O_RDONLY), 0, prot=mmap.PROT_READ)[:9]"
    ),
    "open it for ioctl alone and map that": Attack("a descriptor", "return os.open(definitions, 3) > 0"),
    "read the checkpoint of another model": Attack(TEXT, "return Path(checkpoint, 'config.json').read_text()"),
    "list the cache of checkpoints": Attack(LIST, "return os.listdir(cache_root)"),
    "read the scratch file of another model": Attack(TEXT, "return Path(other_scratch, 'kept').read_text()"),
    "list the scratch folders of all models": Attack(LIST, "return os.listdir(Path(other_scratch).parent)"),
    "read what another model was given to read": Attack(TEXT, "return Path(other_view, 'given').read_text()"),
    "list what all models were given to read": Attack(LIST, "return os.listdir(Path(other_view).parent)"),
    "list the root folder": Attack(LIST, "return os.listdir('/')"),
    "list the folder of temporary files": Attack(LIST, "return os.listdir('/tmp')"),
    "read the users of the machine": Attack(TEXT, "return Path('/etc/passwd').read_text()"),
    "read the name of the machine": Attack(
        TEXT,
        "return Path('/etc/hostname').read_text()",
        unless="not every machine has that file",
        ends=("FileNotFoundError",),
    ),
    "read the folder that the app was started from": Attack(TEXT, "return Path(beside_app).read_text()"),
    "read beside the script that opened the app": Attack(TEXT, "return Path(beside_script).read_text()"),
    "ask by a handle instead of a path": Attack(
        "a handle",
        "handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128)); mount = ctypes.c_int()\n"
        "checked(libc.name_to_handle_at(-100, definitions.encode(), handle, ctypes.byref(mount), 0))\nreturn True",
        unless="some file systems have no handles",
    ),
    "read with openat2": Attack(
        "a descriptor", "return syscall(437, 437, -100, definitions.encode(), struct.pack('QQQ', 0, 0, 0), 24) > 0"
    ),
    "read through io_uring": Attack(
        "a ring",
        "return syscall(425, 425, 4, ctypes.create_string_buffer(120)) > 0",
        unless="some machines switch io_uring off",
    ),
}

KERNEL = {
    "read the command line of the kernel": Attack(TEXT, "return Path('/proc/cmdline').read_text()"),
    "read the mounts": Attack(TEXT, "return Path('/proc/self/mountinfo').read_text()"),
    "read the connections of the machine": Attack(TEXT, "return Path('/proc/self/net/tcp').read_text()"),
    "list the network interfaces in /sys": Attack(LIST, "return os.listdir('/sys/class/net')"),
    "list the block devices in /sys": Attack(LIST, "return os.listdir('/sys/class')"),
    "read the symbols of the kernel": Attack(
        TEXT,
        "return open('/proc/kallsyms').read(99)",
        unless="some kernels have no such file",
        ends=("FileNotFoundError",),
    ),
    "list the devices": Attack(LIST, "return os.listdir('/dev')"),
    "read its own memory as a file": Attack(TEXT, "return open('/proc/self/mem', 'rb')"),
    "write its own memory as a file": Attack("a descriptor", "return os.open('/proc/self/mem', os.O_RDWR) > 0"),
    "change its own out-of-memory score": Attack(CHANGED, "return Path('/proc/self/oom_score_adj').write_text('900')"),
    "map another user into its namespace": Attack(
        "a descriptor", "return os.open('/proc/self/uid_map', os.O_WRONLY) > 0"
    ),
}

CHANGE = {
    "write into a file of the app": Attack(CHANGED, "return Path(spare).write_text('x')"),
    "append to a file of the app": Attack(CHANGED, "return open(spare, 'a').write('x')"),
    "cut a file of the app": Attack(CHANGED, "os.truncate(spare, 0)\nreturn True"),
    "cut a file while reading it": Attack(CHANGED, "return os.open(spare, os.O_RDONLY | os.O_TRUNC) > 0"),
    "remove a file of the app": Attack("it is gone", "os.unlink(spare)\nreturn True"),
    "move a file of the app away": Attack("it is gone", "os.rename(spare, 'taken')\nreturn True"),
    "move a file over one of the app": Attack(
        CHANGED, "Path('mine').write_text('x')\nos.rename('mine', spare)\nreturn True"
    ),
    "swap a file with one of the app": Attack(
        CHANGED,
        "Path('mine').write_text('x')\nsyscall(316, 276, -100, b'mine', -100, spare.encode(), 2)\nreturn True",
        unless="some file systems cannot swap",
    ),
    "link a file of the app into its scratch folder": Attack(
        "the link", "os.link(spare, 'hard')\nreturn open('hard').read()"
    ),
    "create a file in the home": Attack("the file", "return Path(folder, 'new-file').write_text('x')"),
    "create a folder in the home": Attack("the folder", "os.mkdir(Path(folder, 'new-folder'))\nreturn True"),
    "create a link in the home": Attack("the link", "os.symlink('/', Path(folder, 'new-link'))\nreturn True"),
    "create a file without a name in the home": Attack(
        "a descriptor",
        "return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600) > 0",
        unless="some file systems cannot",
    ),
    "create shared memory": Attack(
        "the file",
        "name = f'/dev/shm/hfreg-{os.getpid()}'\nos.open(name, os.O_CREAT | os.O_RDWR)\nos.unlink(name)\nreturn True",
        unless="no /dev/shm",
        ends=("FileNotFoundError",),
    ),
    "create a file among the temporary ones": Attack(
        "the file", "os.unlink(tempfile.mkstemp(dir='/tmp')[1])\nreturn True"
    ),
    "write into the scratch folder of another model": Attack(
        "the file", "return Path(other_scratch, 'x').write_text('x')"
    ),
    "write into what another model was given": Attack("the file", "return Path(other_view, 'x').write_text('x')"),
    "write into a checkpoint": Attack(CHANGED, "return open(Path(checkpoint, 'config.json'), 'r+').write('{')"),
    "change the mode of a file": Attack(
        CHANGED, "os.chmod(spare, 0o777)\nreturn os.stat(spare).st_mode & 0o777 == 0o777"
    ),
    "change the mode by a descriptor": Attack(
        CHANGED, "os.fchmod(os.open(spare, os.O_RDONLY), 0o777)\nreturn os.stat(spare).st_mode & 0o777 == 0o777"
    ),
    "change the owner of a file": Attack(CHANGED, "os.chown(spare, os.getuid(), os.getgid())\nreturn True"),
    "change the owner of a link": Attack(CHANGED, "os.lchown(spare, -1, os.getgid())\nreturn True"),
    "change the times of a file": Attack(CHANGED, "os.utime(spare, (1, 1))\nreturn os.stat(spare).st_mtime == 1"),
    "set an attribute of a file": Attack(CHANGED, "os.setxattr(spare, 'user.x', b'x')\nreturn True", unless=NO_XATTR),
    "lock a file of the app": Attack(
        "the lock", "fcntl.flock(os.open(spare, os.O_RDONLY), fcntl.LOCK_EX)\nreturn True"
    ),
    "hold up whoever opens a file": Attack(
        "the lease", "fcntl.fcntl(os.open(spare, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)\nreturn True"
    ),
    "watch the home": Attack(
        "a watch", "return checked(libc.inotify_add_watch(checked(libc.inotify_init1(0)), home.encode(), 0x100)) > 0"
    ),
    "make a pipe with a name": Attack("the pipe", "os.mkfifo('pipe')\nreturn True"),
    "make a device": Attack(
        "the device", "os.mknod('device', stat.S_IFCHR | 0o600, os.makedev(1, 1))\nreturn True", root=True
    ),
}

FILES = {**READ, **KERNEL, **CHANGE}
