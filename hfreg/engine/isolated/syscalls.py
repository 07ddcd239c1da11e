"""Syscalls: the numbers of the system calls that a worker may make, on x86-64 and aarch64, by what becomes of them.

Each entry is a name, its number on x86-64, and its number on aarch64 (`-` where the processor has no such call).
A call that stands nowhere here is refused; so is what a later kernel brings, as a call that it does not have.
What the arguments of a judged call may be stands in `seccomp`. Numbers are from the kernel's own headers.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

FREE = (
    # Files, which Landlock judges by their path
    """
    read 0 63; write 1 64; readv 19 65; writev 20 66; pread64 17 67; pwrite64 18 68; preadv 295 69;
    pwritev 296 70; preadv2 327 286; pwritev2 328 287; lseek 8 62; close 3 57; dup 32 23; dup2 33 -;
    dup3 292 24; creat 85 -; stat 4 -; fstat 5 80; lstat 6 -; newfstatat 262 79; statx 332 291; access 21 -;
    faccessat 269 48; faccessat2 439 439; readlink 89 -; readlinkat 267 78; statfs 137 43; fstatfs 138 44;
    getcwd 79 17; chdir 80 49; fchdir 81 50; getdents 78 -; getdents64 217 61; mkdir 83 -; mkdirat 258 34;
    rmdir 84 -; unlink 87 -; unlinkat 263 35; rename 82 -; renameat 264 38; renameat2 316 276; symlink 88 -;
    symlinkat 266 36; ftruncate 77 46; fallocate 285 47; fsync 74 82; fdatasync 75 83; sync_file_range 277 84;
    fadvise64 221 223; flock 73 32; sendfile 40 71; copy_file_range 326 285; umask 95 166;
    """
    # Pipes and waiting
    """
    pipe 22 -; pipe2 293 59; poll 7 -; ppoll 271 73; select 23 -; pselect6 270 72; epoll_create 213 -;
    epoll_create1 291 20; epoll_ctl 233 21; epoll_wait 232 -; epoll_pwait 281 22; epoll_pwait2 441 441;
    eventfd 284 -; eventfd2 290 19; timerfd_create 283 85; timerfd_settime 286 86; timerfd_gettime 287 87;
    signalfd 282 -; signalfd4 289 74;
    """
    # Sockets that are there already
    """
    recvfrom 45 207; recvmsg 47 212; recvmmsg 299 243; shutdown 48 210; getsockname 51 204; getpeername 52 205;
    """
    # Memory
    """
    mmap 9 222; munmap 11 215; mprotect 10 226; mremap 25 216; madvise 28 233; brk 12 214; msync 26 227;
    mincore 27 232; mlock 149 228; mlock2 325 284; munlock 150 229; membarrier 324 283;
    """
    # Threads
    """
    futex 202 98; futex_waitv 449 449; futex_wake 454 454; futex_wait 455 455; futex_requeue 456 456;
    set_robust_list 273 99; set_tid_address 218 96; rseq 334 293; exit 60 93; exit_group 231 94; gettid 186 178;
    sched_yield 24 124; sched_getaffinity 204 123; sched_getparam 143 121; sched_getscheduler 145 120;
    sched_get_priority_max 146 125; sched_get_priority_min 147 126; getcpu 309 168;
    """
    # Time
    """
    clock_gettime 228 113; clock_getres 229 114; clock_nanosleep 230 115; nanosleep 35 101; gettimeofday 96 169;
    time 201 -; times 100 153; alarm 37 -; setitimer 38 103; getitimer 36 102; pause 34 -;
    """
    # Signals that it receives
    """
    rt_sigaction 13 134; rt_sigprocmask 14 135; rt_sigpending 127 136; rt_sigtimedwait 128 137;
    rt_sigsuspend 130 133; rt_sigreturn 15 139; sigaltstack 131 132; restart_syscall 219 128;
    """
    # Questions about itself, and its limits, which can only go down
    """
    getpid 39 172; getppid 110 173; getuid 102 174; geteuid 107 175; getgid 104 176; getegid 108 177;
    getresuid 118 148; getresgid 120 150; getgroups 115 158; getpgrp 111 -; uname 63 160; sysinfo 99 179;
    getrusage 98 165; getrlimit 97 163; setrlimit 160 164; getrandom 318 278; arch_prctl 158 -; wait4 61 260;
    waitid 247 95;
    """
)

JUDGED = """
    open 2 -; openat 257 56; close_range 436 436; clone 56 220; fcntl 72 25; ioctl 16 29; prctl 157 167;
    prlimit64 302 261; kill 62 129; tgkill 234 131; socket 41 198; socketpair 53 199; connect 42 203;
    setsockopt 54 208; getsockopt 55 209; sendto 44 206; sendmsg 46 211; sendmmsg 307 269;
    sched_setaffinity 203 122; setpriority 141 140; getpriority 140 141; getpgid 121 155; getsid 124 156;
"""

QUIET = """
    chmod 90 -; fchmod 91 52; fchmodat 268 53; fchmodat2 452 452; utime 132 -; utimes 235 -; futimesat 261 -;
    utimensat 280 88;
"""
"""Does nothing and says that it succeeded: copying and unpacking files set modes and times, Landlock judges neither."""

UNSUPPORTED = """
    getxattr 191 8; lgetxattr 192 9; fgetxattr 193 10; getxattrat 464 464; listxattr 194 11; llistxattr 195 12;
    flistxattr 196 13; listxattrat 465 465; setxattr 188 5; lsetxattr 189 6; fsetxattr 190 7;
    setxattrat 463 463; removexattr 197 14; lremovexattr 198 15; fremovexattr 199 16; removexattrat 466 466;
"""
"""Fails as on a file system without extended attributes, which is what libraries expect and pass over."""

ABSENT = """
    clone3 435 435; openat2 437 437; io_uring_setup 425 425; io_uring_enter 426 426; io_uring_register 427 427;
"""
"""Fails as on an older kernel: the arguments lie in memory, where a filter cannot see them, and older calls do."""

HIGHEST = 469
"""The last number known when this was written (file_setattr, Linux 6.17); what is above fails as on an older kernel."""


@dataclass(frozen=True, slots=True)
class Processor:
    """How one processor counts: its audit number, and the column of its numbers in the tables above."""

    audit: int
    column: int

    def numbers(self, table: str) -> Mapping[str, int]:
        """Return name to number for the entries of a table that this processor has."""
        entries = [entry.split() for entry in table.split(";") if entry.strip()]
        return {entry[0]: int(entry[self.column]) for entry in entries if entry[self.column] != "-"}


PROCESSORS = {"x86_64": Processor(0xC000003E, 1), "aarch64": Processor(0xC00000B7, 2)}


def this_processor() -> Processor:
    """Return the processor that this process runs on; raises OSError for one without a table."""
    machine = platform.machine()
    if machine not in PROCESSORS:
        raise OSError(f"no table of system calls for {machine or 'this processor'}, only for {', '.join(PROCESSORS)}")
    return PROCESSORS[machine]
