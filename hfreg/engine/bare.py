"""Bare thread: whether a row may run in its caller's thread without that thread having a say in the answer.

A thread has state of its own that scoring logic would meet: torch's gradients, precision and default device, an event
loop that runs, the row of another model. Context variables are not among it: rows run in the context of their slot.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from hfreg.engine.slot import Slot


def bare() -> bool:
    """Whether this thread is as one that was made for the model would be; takes about a microsecond."""
    return Slot.current() is None and _no_event_loop() and _plain_torch()


def is_main() -> bool:
    """Whether this is the thread that Ctrl+C interrupts."""
    return threading.get_ident() == threading.main_thread().ident


def _no_event_loop() -> bool:
    asyncio: Any = sys.modules.get("asyncio")
    return asyncio is None or asyncio._get_running_loop() is None


def _plain_torch() -> bool:
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return True
    if not torch.is_grad_enabled() or torch.is_inference_mode_enabled():
        return False
    cast = torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")
    return not cast and not torch._C._len_torch_function_stack() and not torch._C._len_torch_dispatch_stack()
