"""The New Model page as tests use it: opened at an address, filled in, pressed, read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

import hfreg

APP = Path(__file__).parents[1] / "app.py"
PAGE = "pages/catalog/register.py"
LOGIC = 'return {"label": "kind", "score": str(threshold)}\n'


def definition(**fields: Any) -> hfreg.Definition:
    usual = {
        "alias": "rater",
        "description": "Rates a text.",
        "output_type": "Map[String, String]",
        "arguments": [
            hfreg.Argument("text", "String"),
            hfreg.Argument("threshold", "Numerical", optional=True, default="0.5"),
        ],
        "scoring_logic": "if text is None:\n    return None\n" + LOGIC,
    }
    return hfreg.Definition(**{**usual, **fields})


def opened(**address: str) -> AppTest:
    """Return the page as a new browser session sees it at an address."""
    at = AppTest.from_file(APP, default_timeout=15)
    for name, value in address.items():
        at.query_params[name] = value
    at.switch_page(PAGE).run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    """Return everything the page says in words."""
    parts = [*at.markdown, *at.caption, *at.error, *at.warning, *at.info, *at.title, *at.code, *at.metric]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def fill(at: AppTest, **fields: str) -> AppTest:
    """Type into the fields, and the code as the editor would send it."""
    for name, value in fields.items():
        if name == "code":
            rev = at.session_state["register.draft"]["rev"]
            at.session_state["register.code"] = {"document": {"rev": rev, "text": value}}
            at.session_state[f"register.code@{rev}"] = value  # where the editor is a plain field
            at.run()
        elif name == "description":
            at.text_area(key="register.description").set_value(value).run()
        else:
            at.text_input(key=f"register.{name}").set_value(value).run()
    assert not at.exception, at.exception
    return at


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=f"register.{key}").click().run()
    assert not at.exception, at.exception
    return at


def draft(at: AppTest) -> Any:
    return at.session_state["register.draft"]
