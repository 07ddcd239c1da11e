"""Address: widgets that follow the page's address, so that a reload, a bookmark and Back show the same again.

The address decides: before a widget is drawn it gets what the address says, and a change is written there. Streamlit's
own binding is not used, because on the way to another page it writes that page's parameters under this page's path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hfreg.ui import session


def follow(
    widget: str, name: str, default: Any = None, options: Sequence[str] | None = None, resets: str = ""
) -> Callable[[], None]:
    """Give a widget the value of a parameter, and return what its `on_change` has to be.

    What is none of `options` counts as the default, which the address does not name. A change takes the parameter
    `resets` out.
    """
    said = session.param(name)
    known = bool(said) and (options is None or said in options)
    session.put(widget, said if known else default)

    def changed() -> None:
        value = session.get(widget)
        session.set_param(name, None if value == default else str(value))
        if resets:
            session.set_param(resets, None)

    return changed


def confirm(widget: str, *names: str) -> None:
    """Have the browser show parameters that it may not show, when the page of `widget` was open before this run.

    A link to the page that is open already changes its parameters, but not what the address bar says.
    """
    if session.get(widget) is not None:
        present = [name for name in names if session.param(name)]
        for name in present[:1]:  # one is enough: the whole address is sent
            session.confirm_param(name)
