"""Attacks on the network: every family of sockets, names, and the sockets of this machine.

`port` and `datagrams` are listeners of the app on the loopback address, `listener` its socket that is a file.
"""

from __future__ import annotations

from tests.attacks.attack import Attack

REACHED = "somebody is reached"
MADE = "a socket"
FEW = "a kernel has only the families that it was built with"


def family(number: int, kind: int = 2, protocol: int = 0, root: bool = False, unless: str = FEW) -> Attack:
    """Make a socket of a family."""
    logic = f"return socket.socket({number}, {kind}, {protocol}).fileno() > 0"
    return Attack(MADE, logic, unless=unless, root=root)


INTERNET = {
    "connect by TCP": Attack(REACHED, "return socket.create_connection(('127.0.0.1', port), 2).fileno() > 0"),
    "connect to a web port": Attack(
        REACHED,
        "try: socket.create_connection(('127.0.0.1', 443), 2)\nexcept ConnectionRefusedError: pass\nreturn True",
    ),
    "connect by TCP version 6": Attack(
        REACHED,
        "try: socket.create_connection(('::1', port), 2)\nexcept ConnectionRefusedError: pass\nreturn True",
        unless="some machines have no version 6",
    ),
    "connect in the background": Attack(
        REACHED, "s = socket.socket()\ns.setblocking(False)\nreturn s.connect_ex(('127.0.0.1', port)) in (0, 115)"
    ),
    "send a datagram": Attack(
        REACHED, "return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', datagrams)) == 1"
    ),
    "send in the first packet": Attack(
        REACHED,
        "return socket.socket().sendto(b'x', 0x20000000, ('127.0.0.1', port)) == 1",
        unless="some machines switch it off",
    ),
    "serve": Attack(MADE, "s = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\nreturn s.getsockname()"),
    "serve at a port it did not choose": Attack(MADE, "s = socket.socket()\ns.listen()\nreturn s.getsockname()"),
    "look up a name": Attack(REACHED, "return socket.getaddrinfo('localhost', 80)", refused=("gaierror",)),
    "look up a name by hand": Attack(
        REACHED,
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.connect(('127.0.0.1', 53))\n"
        "return s.send(bytes(12)) == 12",
    ),
    "ask a web server": Attack(
        REACHED,
        "import urllib.request\ntry: urllib.request.urlopen(f'http://127.0.0.1:{port}', timeout=1)\n"
        "except TimeoutError: pass\nreturn True",
        refused=("URLError",),
    ),
    "ask a web server by hand": Attack(
        REACHED,
        "import http.client\nhttp.client.HTTPConnection('127.0.0.1', port, timeout=1).request('GET', '/')\nreturn True",
    ),
    "an event loop that connects": Attack(
        REACHED,
        "import asyncio\nasync def go(): return await asyncio.open_connection('127.0.0.1', port)\n"
        "return bool(asyncio.run(go()))",
    ),
    "raw packets": family(2, 3, 1, root=True),
    "echo packets": family(2, 2, 1, unless="many machines let only some groups"),
    "several paths": family(2, 1, 262),
    "SCTP": family(2, 1, 132),
    "DCCP": family(2, 6, 33),
    "UDP-Lite": family(2, 2, 136),
}

FAMILIES = {
    "a socket of the machine": family(1, 1),
    "datagrams of the machine": family(1, 2),
    "amateur radio": family(3, 5),
    "version 6": family(10, 1),
    "version 6 datagrams": family(10, 2),
    "keys for packets": family(15, 3, 2, root=True),
    "talk to the kernel": family(16, 3),
    "talk to the kernel about audits": family(16, 3, 9),
    "talk to the kernel about keys": family(16, 3, 6),
    "packets": family(17, 3, 0x0300, root=True),
    "reliable datagrams": family(21, 5),
    "cells": family(29, 3, 1, root=True),
    "clusters": family(30, 5),
    "telephony": family(35, 2),
    "ciphers of the kernel": family(38, 5),
    "near fields": family(39, 3, 0),
    "the host of this machine": family(40, 1),
    "remote calls": family(33, 2, 2),
    "routes between processors": family(42, 2),
    "memory of another machine": family(43, 1),
    "headsets": family(31, 3, 1),
    "shared rings": family(44, 3, 0, root=True),
}

MACHINE = {
    "connect to a socket that is a file": Attack(
        REACHED, "s = socket.socket(socket.AF_UNIX)\ns.connect(listener)\nreturn True"
    ),
    "connect to an abstract socket": Attack(
        REACHED, "s = socket.socket(socket.AF_UNIX)\ns.connect(chr(0) + abstract)\nreturn True"
    ),
    "send to an abstract socket": Attack(
        REACHED,
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\nreturn s.sendto(b'x', chr(0) + abstract_packets) == 1",
    ),
    "aim a pair of datagrams elsewhere": Attack(
        REACHED,
        "s = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0]\ns.connect(chr(0) + abstract_packets)\n"
        "return s.send(b'x') == 1",
    ),
    "a pair of packets": Attack(
        MADE, "return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)[0].fileno() > 0"
    ),
    "a socket that is a file": Attack(
        MADE, "s = socket.socket(socket.AF_UNIX)\ns.bind('here')\ns.listen()\nreturn True"
    ),
    "an abstract socket of its own": Attack(
        MADE, "s = socket.socket(socket.AF_UNIX)\ns.bind(chr(0) + 'hfreg-attack')\ns.listen()\nreturn True"
    ),
    "serve on its own channel": Attack(
        MADE, "pair = socket.socketpair()[0]\npair.bind(chr(0) + 'hfreg-attack-2')\nreturn True"
    ),
    "a filter on its channel": Attack(
        MADE,
        "code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0xFFFF))\n"
        "socket.socketpair()[0].setsockopt(1, 26, struct.pack('HxxxxxxP', 1, ctypes.addressof(code)))\nreturn True",
    ),
    "be told who writes": Attack(MADE, "socket.socketpair()[0].setsockopt(1, 16, 1)\nreturn True"),
}

NETWORK = {**INTERNET, **FAMILIES, **MACHINE}
