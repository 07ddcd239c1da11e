"""What the tests of the catalog and of the model page share: opening a page of the app, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from hfreg import Argument, Definition

ROOT = Path(__file__).parents[1]
MODELS = "pages/catalog/models.py"
MODEL = "pages/catalog/model.py"
LOGIC = 'return {"label": "positive", "score": 0.9}'
KINDS = ("title", "subheader", "markdown", "caption", "text", "code", "error", "warning", "info", "success", "html")


def definition(alias: str, **fields: Any) -> Definition:
    """A model that answers at once and loads nothing."""
    usual: dict[str, Any] = {
        "arguments": [Argument("text", usage="Main input content")],
        "output_type": "Map[String, Any]",
        "scoring_logic": LOGIC,
        "description": "Sentiment of short texts.",
    }
    return Definition(alias=alias, **{**usual, **fields})


def opened(path: str = MODELS, **params: str) -> AppTest:
    """Open a page of the app by its address."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    if path != MODELS:
        at.run()
    for name, value in params.items():
        at.query_params[name] = value
    return at.run() if path == MODELS else at.switch_page(path).run()


def said(at: AppTest) -> str:
    """Everything the page says, as one text, without the signs of Markdown that escape."""
    assert not at.exception, at.exception
    values = [str(one.value if hasattr(one, "value") else one.body) for kind in KINDS for one in at.get(kind)]
    links = [link.label for link in at.get("page_link")]
    return "\n".join([*values, *links, *(f"{one.label}={one.value}" for one in at.metric)]).replace("\\", "")


def links(at: AppTest) -> dict[str, str]:
    """The links of a page: what each says and where it leads."""
    found = {}
    for link in at.main.get("page_link"):
        found[link.label.strip("*").replace("\\", "")] = f"{link.page}?{link.proto.query_string}"
    return found


def rows(at: AppTest) -> list[str]:
    """The aliases of the list, in order."""
    return [menu.key.removeprefix("models_menu_") for menu in at.menu_button if menu.key]


def choose(at: AppTest, alias: str, action: str) -> AppTest:
    """Choose from the menu of a row."""
    return at.menu_button(key=f"models_menu_{alias}").click(action).run()


def press(at: AppTest, key: str) -> AppTest:
    """Click a button."""
    return at.button(key=key).click().run()
