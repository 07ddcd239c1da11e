"""Placement: device and dtype of what a model loads, where its code names none itself, and its quantization.

The advanced options of a definition become keywords of the loading calls that know them. It imports nothing: a load has
imported torch by then.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hfreg.errors import DefinitionError
from hfreg.options import Options
from hfreg.scoring.quantize import in_int8
from hfreg.values import Finding

_DTYPES = ("dtype", "torch_dtype", "model_kwargs", "quantization_config")
_DEVICES = ("device", "device_map")


class Placement:
    """What the options of one definition mean to its loads."""

    def __init__(self, options: Options) -> None:
        self._quantized = bool(options.quantization)
        self._dtype = ("float32" if self._quantized else "") if options.dtype == "auto" else options.dtype
        self._device = ("cpu" if self._quantized else "") if options.device == "auto" else options.device

    def keywords(self, name: str, repo_argument: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keywords of a load with what the options add; `name` is that of the call or of the class.

        Raises DefinitionError for a device that this machine does not have.
        """
        added = dict(given)
        if not isinstance(given.get(repo_argument), (str, Path)):
            return added
        encoder = name.startswith("sentence_transformers.")
        if self._dtype and not set(_DTYPES) & set(given):
            if encoder:
                added["model_kwargs"] = {"dtype": self._dtype}
            elif name == "pipeline" or _is_model(name):
                added["dtype"] = self._dtype
        if self._device and not set(_DEVICES) & set(given):
            self._require()
            if encoder or name == "pipeline":
                added["device"] = self._device
        return added

    def moved(self, name: str, given: Mapping[str, Any], loaded: Any) -> Any:
        """Return what was loaded, moved to the device (a pipeline is made there) and quantized as the options say."""
        if self._device and _is_model(name) and not set(_DEVICES) & set(given):
            loaded = loaded.to(self._device)
        return in_int8(loaded) if self._quantized else loaded

    def _require(self) -> None:
        torch: Any = sys.modules.get("torch")
        if self._device == "cpu" or torch is None:
            return
        there = torch.cuda.is_available() if self._device == "cuda" else torch.backends.mps.is_available()
        if not there:
            message = f"The model is to be loaded on {self._device}, which it does not have here. Choose auto or cpu."
            raise DefinitionError(message, [Finding("error", "options.device", None, message)])


def _is_model(name: str) -> bool:
    return name.startswith("transformers.") and ".modeling_" in name
