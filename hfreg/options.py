"""Options: how a model is loaded and kept, beyond what its code says. Advanced options of the form.

They hold for Python Function and Custom. Where the code names a device or a dtype itself, the code is right: an
option is what stands in for a keyword that is not given. What this machine offers is found out when a model loads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from hfreg.values import Finding, Frozen

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]

DEVICES: tuple[str, ...] = get_args(Device)
DTYPES: tuple[str, ...] = get_args(Dtype)
QUANTIZATIONS = ("", "int8")
"""Ways of quantization that work here, the empty one is none; `int8` is for encoders on the processor."""
MAX_THREADS = 64
AVAILABLE = frozenset({"device", "dtype", "quantization", "threads", "keep_loaded", "warm_up"})
"""The options that have an effect already."""


class Options(Frozen):
    """The advanced options; every one defaults to what the platform would do by itself.

    `threads` are those of torch in the model's process, None: one; the inline engine has no process of its own and
    leaves them. `keep_loaded` exempts the model from making room for others. `warm_up` are the arguments of the call
    that runs when the model is loaded before anybody calls it, None: the first example.
    """

    device: Device = "auto"
    dtype: Dtype = "auto"
    quantization: str = ""
    threads: int | None = None
    keep_loaded: bool = False
    warm_up: dict[str, Any] | None = None

    @property
    def load_digest(self) -> tuple[Any, ...]:
        """What of them changes a loaded model; the rest only says when it is loaded."""
        return (self.device, self.dtype, self.quantization, self.threads)

    def findings(self, arguments: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with them; `arguments` are the declared ones, by alias."""
        for name in type(self).model_fields:
            if name not in AVAILABLE and getattr(self, name) != type(self).model_fields[name].default:
                yield Finding("error", f"options.{name}", None, f"The option `{name}` is not available yet.")
        if self.quantization not in QUANTIZATIONS:
            message = f"{self.quantization[:60]!r} is no way of quantization that is available here. Leave it empty."
            yield Finding("error", "options.quantization", None, message)
        elif self.quantization and (self.dtype not in {"auto", "float32"} or self.device not in {"auto", "cpu"}):
            message = (
                f"{self.quantization} is made of float32 weights on the processor. Leave device and dtype at auto."
            )
            yield Finding("error", "options.quantization", None, message)
        if self.threads is not None and not 1 <= self.threads <= MAX_THREADS:
            message = f"{self.threads} threads cannot be used. Give a number from 1 to {MAX_THREADS}, or none."
            yield Finding("error", "options.threads", None, message)
        for name in self.warm_up or ():
            if name not in arguments:
                message = f"The warm-up input gives `{name}`, which is no argument. Remove it or declare it."
                yield Finding("error", "options.warm_up", None, message)
