"""Form state: which draft the form shows, and how it outlives a rerun, a page switch, a reload and a restart.

The draft is one plain dict under `register.draft`; widgets are drawn from it and write to it. Every change is
autosaved under the draft's key at once. The address names the draft (`?draft=` of a new model, `?alias=` of a
registered one), so that a reload finds it again. What the form looks like is in `hfreg.ui.forms`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hfreg import templates
from hfreg.definition import Definition
from hfreg.errors import HfregError, StoreError
from hfreg.lifecycle import State
from hfreg.registry import Registry
from hfreg.store.autosave import Autosave, AutosaveConflict
from hfreg.ui import form_draft, session
from hfreg.ui.form_draft import Draft
from hfreg.values import Finding
from hfreg.version import Version

DRAFT = "register.draft"
SAVED_AT, PROBLEM, ELSEWHERE, UNDO, DONE, RUN = (
    f"register.state.{name}" for name in ("saved_at", "problem", "elsewhere", "undo", "done", "run")
)
NEW_KEY = "new_model.key"
"""Under which the new model of this session is autosaved; it outlives the edit of another one."""


@dataclass(frozen=True)
class Form:
    """The form of this rerun: the draft, and what it means."""

    registry: Registry
    draft: Draft

    @cached_property
    def definition(self) -> Definition:
        """The definition that the form says."""
        return form_draft.definition(self.draft)

    @cached_property
    def findings(self) -> list[Finding]:
        """What is to be said about it, worst first."""
        taken = form_draft.taken(self.draft, self.definition.alias, self.registry.definitions.aliases())
        return [*taken, *self.registry.check(self.definition)]

    @property
    def errors(self) -> list[Finding]:
        """The findings that block saving."""
        return [finding for finding in self.findings if finding.level == "error"]

    def at(self, field: str) -> list[Finding]:
        """List the errors and warnings of one field, or of its items."""
        its = [(form_draft.field_of(f.field), f) for f in self.findings if f.level != "hint"]
        return [f for name, f in its if name == field or name.startswith(f"{field}[")]


def current() -> Draft:
    """Return the draft on the screen; callbacks ask for it anew, because it may have been replaced."""
    draft: Draft = session.get(DRAFT)
    return draft


def locked() -> Version | None:
    """Return the version that the address asks to edit when its state does not allow it."""
    found = _asked()
    return found if found is not None and found.state is not State.DRAFT else None


def open_draft() -> Draft:
    """Return the draft that the address asks for, the one begun before, or a blank one.

    Raises UnknownModel when the address names a model that is not registered.
    """
    if (version := _asked()) is not None:
        return _opened_edit(version)
    _begin_from_address()
    draft, key = session.get(DRAFT), session.param("draft") or session.get(NEW_KEY, "")
    fits = draft is not None and form_draft.is_new(draft) and key in ("", draft["key"])
    if not fits and not _show_autosaved(key):
        show(form_draft.new(templates.BLANK))
    session.set_param("draft", current()["key"] if form_draft.changed(current()) else None)
    return current()


def show(draft: Draft) -> None:
    """Put another draft on the screen; all that was remembered about the one before is forgotten."""
    session.drop("register.")
    session.put(DRAFT, draft)
    if form_draft.is_new(draft):
        session.put(NEW_KEY, draft["key"])
        session.set_param("draft", None)


def write(field: str, value: Any) -> None:
    """Take what a widget holds into the draft."""
    draft = current()
    if draft["fields"][field] != value:
        draft["fields"][field] = value
        touch()


def touch() -> None:
    """Autosave the draft after a change; what no longer differs from what is saved needs none."""
    draft, registry, user = current(), session.registry(), session.user()
    session.drop(PROBLEM, DONE)
    try:
        if not (form_draft.changed(draft) or draft["note"] or draft["test_call"] is not None):
            registry.autosaves.delete(draft["key"], user, expected=draft["counter"])
            draft["counter"] = 0
            session.drop(SAVED_AT)
            return
        kept = registry.autosaves.save(draft["key"], user, draft, draft["snapshot"], expected=draft["counter"])
    except AutosaveConflict as conflict:
        session.put(ELSEWHERE, conflict.stored)
    except StoreError as error:
        session.put(PROBLEM, f"Your changes are not autosaved: {error}")
    else:
        draft["counter"] = kept.counter
        session.put(SAVED_AT, kept.at)


def keep_mine() -> None:
    """Autosave what this page shows over what was autosaved elsewhere."""
    stored: Autosave = session.get(ELSEWHERE)
    session.drop(ELSEWHERE)
    current()["counter"] = stored.counter
    touch()


def take_elsewhere() -> None:
    """Show what was autosaved elsewhere; what this page showed can be had back."""
    stored: Autosave = session.get(ELSEWHERE)
    if (draft := _restored(stored)) is not None:
        replace(draft, "Took the draft of the other window.")


def replace(draft: Draft, said: str) -> None:
    """Show another draft instead of this one, which `undo` brings back."""
    before = copy.deepcopy(current())
    show(draft)
    session.put(UNDO, (said, before))


def fill(definition: Definition, said: str) -> None:
    """Fill the form with another definition; `undo` brings back what it said."""
    draft = copy.deepcopy(current())
    form_draft.fill(draft, definition)
    replace(draft, said)
    touch()


def undo() -> None:
    """Bring back what the last replacement or deletion took away."""
    _, before = session.get(UNDO, ("", None))
    session.drop(UNDO)
    if isinstance(before, tuple):  # a row and its place
        form_draft.put_row(current(), *before)
    elif before is not None:
        now = current()
        before["rev"] = max(before["rev"], now["rev"]) + 1
        before["counter"] = now["counter"] if now["key"] == before["key"] else before["counter"]
        show(before)
    touch()


def discard() -> None:
    """Drop the draft and its autosave: a new model starts blank, an edit shows what is saved."""
    draft = current()
    session.registry().autosaves.delete(draft["key"], session.user(), expected=draft["counter"])
    if form_draft.is_new(draft):
        fresh = form_draft.new(templates.BLANK)
    else:
        fresh = form_draft.edit(session.registry().definitions.newest(draft["target"]))
    fresh["rev"] = draft["rev"] + 1
    draft["counter"] = 0
    replace(fresh, "Discarded the draft.")


def others() -> list[Autosave]:
    """List the new models that were begun in other windows or days, the latest first."""
    kept = session.registry().autosaves.all(session.user())
    return [a for a in kept if a.key.startswith("new-") and a.key != current()["key"]]


def go_on(key: str) -> None:
    """Show a new model that was begun earlier."""
    _show_autosaved(key)


def after_saving(version: Version) -> None:
    """Go on editing what was just saved."""
    before = current()
    session.registry().autosaves.delete(before["key"], session.user(), expected=before["counter"])
    draft = form_draft.edit(version)
    draft["rev"], draft["test_call"] = before["rev"] + 1, before["test_call"]
    run = session.get(RUN)
    show(draft)
    session.drop(NEW_KEY)
    session.put(RUN, run)
    session.put(DONE, version)
    session.set_param("draft", None)
    session.set_param("alias", version.alias)


def _asked() -> Version | None:
    alias = session.param("alias")
    return session.registry().definitions.newest(alias) if alias else None


def _opened_edit(version: Version) -> Draft:
    draft, key = session.get(DRAFT), form_draft.edit_key(version.alias)
    if (draft is None or draft["key"] != key) and not _show_autosaved(key):
        show(form_draft.edit(version))
    draft = current()
    if draft["snapshot"] != version.snapshot and not form_draft.changed(draft):
        fresh = form_draft.edit(version)
        fresh["rev"] = draft["rev"] + 1
        show(fresh)
    return current()


def _begin_from_address() -> None:
    """Begin a new form when the address says from what, and let the address forget it."""
    registry = session.registry()
    template, origin = templates.find(session.param("template")), session.param("from")
    session.set_param("template", None)
    session.set_param("from", None)
    if template is None and not origin:
        return
    show(form_draft.new(templates.BLANK))
    try:
        definition = template.definition if template else copied(registry, origin)
    except HfregError as error:
        session.put(PROBLEM, str(error))
        return
    form_draft.fill(current(), definition)
    touch()


def copied(registry: Registry, alias: str) -> Definition:
    """Return the definition of a registered model under an alias that is free; raises UnknownModel."""
    definition, known = registry.get(alias).definition, {a.casefold() for a in registry.definitions.aliases()}
    names = (f"{alias[:56]}_{n}" for n in range(2, 10_000))
    return definition.model_copy(update={"alias": next(n for n in names if n.casefold() not in known)})


def _show_autosaved(key: str) -> bool:
    """Show the draft that was autosaved under a key, if there is one."""
    stored = session.registry().autosaves.find(key, session.user()) if key else None
    draft = _restored(stored) if stored else None
    if stored is None or draft is None:
        return False
    show(draft)
    session.put(SAVED_AT, stored.at)
    return True


def _restored(stored: Autosave) -> Draft | None:
    draft = form_draft.restore(stored.data)
    if draft is not None:
        draft["key"], draft["counter"] = stored.key, stored.counter
        draft["rev"] += 1
    return draft
