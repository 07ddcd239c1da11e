"""Templates: a filled-in definition per task, for whoever starts a new model.

Each is a Definition as the form would hold it: arguments, output type, an example, and scoring logic that runs as it
stands with the well-known repository it names, which the user replaces by their own. What is longer than a model reads
is cut, and the call warns of it. They register nothing; what the named models are good for is said by their own cards.

    >>> find("fill-mask").definition.alias
    'mask_filler'

Rooms: `text` reads texts, `generation` writes them, `vectors` compares them, `senses` looks and listens; `template` is
what they share.
"""

from __future__ import annotations

from hfreg.definition import Definition
from hfreg.scoring import tasks
from hfreg.templates.generation import WRITING
from hfreg.templates.senses import SENSING
from hfreg.templates.template import Template
from hfreg.templates.text import READING
from hfreg.templates.vectors import COMPARING

__all__ = ["BLANK", "TEMPLATES", "Template", "find", "offered"]

BLANK = Definition(alias="", output_type="Map[String, String]")

TEMPLATES = (*READING, *WRITING, *COMPARING, *SENSING, Template("blank", "Blank", "An empty form.", BLANK))
"""The templates, in the order of the form."""


def find(task: str) -> Template | None:
    """Return the template of a task, or None."""
    return next((template for template in TEMPLATES if template.task == task), None)


def offered() -> tuple[Template, ...]:
    """Return the templates that the installed transformers can run; all of them where that is not known."""
    known = tasks.known()
    return tuple(one for one in TEMPLATES if known is None or not one.needs or one.needs in known)
