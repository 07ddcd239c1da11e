"""Models: `from hfreg.models import <alias>` gives the registered model, ready to call.

    >>> from hfreg.models import sentiment_analyzer  # doctest: +SKIP
    >>> sentiment_analyzer(text="Great")             # doctest: +SKIP

The names are those of the registry that `hfreg.open()` opens here; one registered later, by whatever
process, can be imported without a restart.
"""

import hfreg as __hfreg
from hfreg import errors as __errors


def __getattr__(alias: str):  # type: ignore[no-untyped-def]
    if alias.startswith("__"):
        raise AttributeError(alias)
    try:
        return __hfreg.open().model(alias)
    except __errors.UnknownModel as error:
        raise __errors.UnknownModelImport(str(error)) from None


def __dir__() -> list[str]:
    return __hfreg.open().definitions.aliases()
