"""Harm by lies: what a worker may write on its channel, and what it may make of the platform's code within itself."""

from __future__ import annotations

from tests.attacks.attack import Harm

KILLED = ("ProtocolError",)
LATE = ("fine", "timeout")
"""Code that goes on after an answer of its own keeps the next call of its own model waiting."""
HELD = ("ProtocolError", "timeout", "ScoringError", "OutputError", "Exception")
WAIT = "\ntime.sleep(100)"
NUMBER = (
    "caller = sys._getframe()\nwhile caller and 'asked' not in caller.f_locals: caller = caller.f_back\n"
    "number = caller.f_locals['asked']['id']\n"
)
"""Finds the number of the row in work, as code in the worker can."""


def says(what: str, ends: tuple[str, ...] = KILLED, does: str = "says what no worker may", then: str = WAIT) -> Harm:
    """Write bytes on the channel, and wait."""
    return Harm(does, f"data = {what}\nwhile data: data = data[os.write(3, data):]{then}", ends)


def frames(told: str, ends: tuple[str, ...] = KILLED, then: str = WAIT, does: str = "forges") -> Harm:
    """Write a frame on the channel, and wait."""
    return Harm(does, f"{NUMBER}tell(**{told}){then}", ends, then=LATE)


BYTES = {
    "noise": says("os.urandom(1 << 16)", (*KILLED, "timeout")),
    "a length of four gigabytes": says("b'\\xff\\xff\\xff\\xff'"),
    "a length over the limit": says("struct.pack('!I', (16 << 20) + 1)"),
    "half a length": says("b'\\0'", ("timeout",)),
    "half a frame": says("struct.pack('!I', 1000) + b'{'", ("timeout",)),
    "half a frame, and then the answer": says(
        "struct.pack('!I', 200) + b'{'", (*HELD, "ok"), then="\nreturn 'answered'"
    ),
    "a frame of nothing": says("bytes(4)"),
    "frames of nothing": says("bytes(1 << 20)"),
    "a pickle": says("__import__('pickle').dumps({'kind': 'outcome'})", (*KILLED, "timeout")),
    "a pickle in a frame": says("(lambda d: struct.pack('!I', len(d)) + d)(__import__('pickle').dumps([1]))"),
    "no JSON": says("struct.pack('!I', 5) + b'{\"a\":'[:5]"),
    "JSON that is no object": says("struct.pack('!I', 4) + b'[[]]'"),
    "an object without a kind": says("frame({})"),
    "an unknown kind": says("frame({'kind': 'reply', 'value': 1})"),
    "ready again": says("frame({'kind': 'ready', 'layers': {}, 'missing': []})"),
    "start": says("frame({'kind': 'start'})"),
    "a kind that is a list": says("frame({'kind': ['outcome']})"),
    "brackets": says("struct.pack('!I', 16 << 20) + b'[' * (16 << 20)", does="floods"),
    "brackets in an object": says("struct.pack('!I', 300_006) + b'{\"a\":' + b'[' * 300_000 + b'}'", does="is deep"),
    "10,000 deep": says(
        "struct.pack('!I', 20_006) + b'{\"a\":' + b'[' * 10_000 + b']' * 10_000 + b'}'", does="is deep"
    ),
    "quotes that never close": says(
        "struct.pack('!I', (1 << 21) + 500_001) + b'\\\\\"' * (1 << 20) + b',' * 500_001",
        does="takes long to be read",
    ),
    "texts without end": says(
        "struct.pack('!I', (8 << 20) + 500_001) + b'\"\"' * (4 << 20) + b',' * 500_001",
        does="takes long to be read",
    ),
    "members without end": says("struct.pack('!I', 4 << 20) + b'{},' * (4 << 20)", does="floods"),
    "a number without end": says("struct.pack('!I', 1 << 20) + b'1' * (1 << 20)", does="takes long to be read"),
    "frames without end": says(
        "frame({'kind': 'event', 'event': 'print', 'data': {'text': 'x'}}) * 10**6", (*KILLED, "timeout"), does="floods"
    ),
}

FRAMES = {
    "the answer of another row": frames("dict(kind='outcome', id=number + 1, value='forged')"),
    "the answer of an earlier row": frames("dict(kind='outcome', id=number - 1, value='forged')"),
    "an answer without a number": frames("dict(kind='outcome', value='forged')"),
    "an answer whose number is a text": frames("dict(kind='outcome', id=str(number), value='forged')"),
    "two answers": Harm(
        "answers twice",
        f"{NUMBER}tell(kind='outcome', id=number, value='first')\nreturn 'second'",
        ("ok",),
        says="first",
        then=("fine", "ProtocolError"),
    ),
    "the answer of the next row": Harm(
        "answers before it is asked",
        f"{NUMBER}tell(kind='outcome', id=number, value='a')\ntell(kind='outcome', id=number + 1, value='b'){WAIT}",
        ("ok",),
        then=("ok", "ProtocolError", "timeout"),
        later=("fine", "timeout", "ProtocolError"),
    ),
    "an answer of another type": Harm(
        "is not what was promised",
        f"{NUMBER}tell(kind='outcome', id=number, value=[1, 2]){WAIT}",
        ("OutputError",),
        output_type="String",
        then=("fine", "timeout"),
    ),
    "an answer without a value": frames("dict(kind='outcome', id=number)", ("ok", *HELD)),
    "a tag that holds something else": frames("dict(kind='outcome', id=number, value={'$moment': {}})", HELD),
    "a tag of a list": frames("dict(kind='outcome', id=number, value={'$pairs': [1]})", HELD),
    "a tag of keys that are lists": frames("dict(kind='outcome', id=number, value={'$pairs': [[[], 1]]})", HELD),
    "a tag of keys that collide": frames(
        "dict(kind='outcome', id=number, value={'$pairs': [[n * (2**61 - 1), 0] for n in range(60_000)]})",
        HELD,
        does="takes long to be put together",
    ),
    "a tag of keys of which half collide": frames(
        "dict(kind='outcome', id=number, value={'$pairs': [[n * (2**61 - 1), 0] for n in range(60_000)] + "
        "[[n, 0] for n in range(60_001)]})",
        (*HELD, "ok"),
        does="takes long to be put together",
    ),
    "an answer that is deep": frames(
        "dict(kind='outcome', id=number, value=json.loads('[' * 480 + ']' * 480))", (*HELD, "ok"), does="is deep"
    ),
    "an error that is a list": frames("dict(kind='outcome', id=number, error=[1])", HELD),
    "an error that is a function of the platform": frames(
        "dict(kind='outcome', id=number, error={'error': '__import__', 'message': 'x'})", HELD
    ),
    "an error that ends programs": frames(
        "dict(kind='outcome', id=number, error={'error': 'SystemExit', 'message': 'x'})", HELD
    ),
    "an error whose message is deep": frames(
        "dict(kind='outcome', id=number, error={'error': 'ScoringError', 'message': "
        "json.loads('[' * 480 + ']' * 480)})",
        HELD,
    ),
    "an error whose kind is a map": frames(
        "dict(kind='outcome', id=number, error={'error': 'ScoringError', 'type': {}, 'line': 'x', 'message': None})",
        (*HELD, "{}"),
    ),
    "warnings that are maps": frames(
        "dict(kind='outcome', id=number, value=1, warnings={'a': 1}, notes=[[[]] * 1000] * 1000)", ("ok", *HELD)
    ),
    "warnings that are deep": frames(
        "dict(kind='outcome', id=number, value=1, warnings=[json.loads('[' * 480 + ']' * 480)])", ("ok", *HELD)
    ),
    "text that is none": frames(
        "dict(kind='outcome', id=number, error={'error': 'ScoringError', 'message': '\\ud800', 'type': '\\udfff'})",
        (*HELD, "\udfff"),
    ),
    "an event that is deep": frames(
        "dict(kind='event', event='piece', data={'value': json.loads('[' * 480 + ']' * 480)})", HELD, does="is deep"
    ),
    "an event with a tag that holds something else": frames(
        "dict(kind='event', event='piece', data={'value': {'$moment': 7}})", HELD
    ),
    "an event that is a list": frames("dict(kind='event', event=['print'], data={'text': 'x'})", HELD),
    "an event without data": frames("dict(kind='event', event='print', data=None)", HELD),
    "print of a list": frames("dict(kind='event', event='print', data={'text': [['x']]})", HELD),
    "outcome as an event": frames("dict(kind='event', event='outcome', data={'outcome': 'forged'})", HELD),
    "many requests at once": Harm(
        "has the platform start a thread for each",
        "while True: tell(kind='ask', what='call', alias='nobody', positional=[], named={})",
        ("ProtocolError", "timeout"),
    ),
    "requests whose answers nobody takes": Harm(
        "has the platform keep answers",
        "while True: tell(kind='ask')",
        ("ProtocolError", "timeout"),
    ),
    "a request and then the end": Harm(
        "leaves", "tell(kind='ask', what='resolve', repo='org/tiny')\nos._exit(0)", ("ProcessEnded",)
    ),
    "a request that is no map": Harm(
        "asks oddly",
        "tell(kind='ask', what='call', alias='x', positional=7, named=[])\ntake(4)\nreturn 'answered'",
        ("ok", *HELD),
        then=("fine", "ProcessEnded"),
    ),
}

FORGE = {**BYTES, **FRAMES}
