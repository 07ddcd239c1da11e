"""Attacks on the secrets of the app: the token saved in Settings, its environment, what other models are made of.

The attack does not bring along what it looks for: `token_hash` and `code_hash` tell when the token, or a word in the
code of another model, was found.
"""

from __future__ import annotations

from tests.attacks.attack import Attack

TOKEN = "the token"
SCAN = """\
import hashlib, re
def scan(form, digest=None):
    found = set()
    for line in open('/proc/self/maps').read().splitlines():
        where, rights, *_, name = (line + ' ').split(' ', 5)
        if 'rw' not in rights or '/' in name or '[v' in name:
            continue
        start, end = (int(part, 16) for part in where.split('-'))
        for at in range(start, end, 1 << 22):
            found.update(re.findall(form, ctypes.string_at(at, min(end - at, (1 << 22) + 64))))
    return [one for one in found if digest is None or hashlib.sha256(one).hexdigest() == digest]
"""

SECRETS = {
    "the token in its environment": Attack(
        TOKEN,
        "import hashlib\nvalues = [value.encode() for value in os.environ.values()]\n"
        "return [1 for value in values if hashlib.sha256(value).hexdigest() == token_hash]",
    ),
    "a secret variable of the app": Attack("the variable", "return os.environ['ATTACK_SECRET']", refused=("KeyError",)),
    "the environment of the process itself": Attack(
        "the variable",
        "libc.getenv.restype = ctypes.c_char_p\nreturn libc.getenv(b'ATTACK_SECRET')",
    ),
    "the environment as the kernel keeps it": Attack(
        "the variable", "return b'ATTACK_SECRET' in Path('/proc/self/environ').read_bytes()"
    ),
    "the token from the library of the Hub": Attack(
        TOKEN, "import huggingface_hub\nreturn huggingface_hub.get_token()"
    ),
    "the token in the memory it was born with": Attack(
        TOKEN, SCAN + "return scan(rb'hf_[0-9a-f]{34}', token_hash)", fresh=True
    ),
    "the code of another model in the memory it was born with": Attack(
        "the code", SCAN + "return scan(rb'word[0-9a-f]{24}', code_hash)", fresh=True
    ),
    "a secret variable in the memory it was born with": Attack(
        "the variable", SCAN + "return scan(rb'ATTACK_SECRE[T]=[0-9a-f]{24}')", fresh=True
    ),
    "the versions of other models among its objects": Attack(
        "a version",
        "import gc\nversions = [o for o in gc.get_objects() if type(o).__name__ == 'Version']\n"
        "return [o for o in versions if getattr(o, 'alias', '') == 'bystander']",
        unless="the control holds no models",
        ends=("nothing",),
    ),
    "the command line of the app": Attack("the line", "return Path(f'/proc/{os.getppid()}/cmdline').read_bytes()"),
}
