"""Quantize: the linear layers of a loaded encoder in int8, for the processor alone.

Weights become int8 once, when the model is loaded; activations at each forward pass, by the range that they have in it
(dynamic quantization of torch). So answers differ a little from those in float32, and by what shares a pass. It imports
nothing by itself: a load has imported torch by then. How good the answers still are is not known here.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

from hfreg.errors import DefinitionError
from hfreg.values import Finding

FIELD = "options.quantization"


def in_int8(loaded: Any) -> Any:
    """Return a pipeline or model with its linear layers in int8; anything that holds no weights as it is.

    Raises DefinitionError for a model that generates, for weights that are not float32 on the processor, and where the
    installed torch does not quantize.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return loaded
    model = loaded if isinstance(loaded, torch.nn.Module) else getattr(loaded, "model", None)
    if not isinstance(model, torch.nn.Module):
        return loaded
    layers = [layer for layer in model.modules() if type(layer) is torch.nn.Linear]
    _require(torch, model, layers)
    if layers:
        with warnings.catch_warnings():  # torch means to move this into another package, which is not for the user
            warnings.simplefilter("ignore")
            _dynamic(torch)(model, {torch.nn.Linear}, dtype=torch.qint8, inplace=True)
    return loaded


def _require(torch: Any, model: Any, layers: list[Any]) -> None:
    kinds = {(layer.weight.dtype, layer.weight.device.type) for layer in layers}
    generates = getattr(model, "can_generate", None)
    if callable(generates) and generates():
        raise _refused(f"`{type(model).__name__}` generates, and int8 is for encoders here. Leave Quantization empty.")
    if kinds - {(torch.float32, "cpu")}:
        found = ", ".join(sorted(f"{kind} on {device}" for kind, device in kinds))
        raise _refused(f"int8 is made of float32 weights on the processor, found {found}. Leave Quantization empty.")
    if torch.backends.quantized.engine == "none":
        raise _refused("The installed torch has no int8 for this processor. Leave Quantization empty.")


def _dynamic(torch: Any) -> Any:
    try:
        return torch.ao.quantization.quantize_dynamic
    except (AttributeError, ImportError):
        raise _refused(f"torch {torch.__version__} has no dynamic quantization. Leave Quantization empty.") from None


def _refused(message: str) -> DefinitionError:
    return DefinitionError(message, [Finding("error", FIELD, None, message)])
