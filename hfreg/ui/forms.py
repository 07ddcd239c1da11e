"""Forms: the cards of the New Model page, in the order and the words of the registration form.

Basic Information, Code Configuration, Scoring Logic and Additional Information; the Arguments card is
`hfreg.ui.argument_rows`. What stands beside the form is in `hfreg.ui.contract` and `hfreg.ui.test_code`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from hfreg.definition import (
    AVAILABLE_INPUT_TYPES,
    INPUT_TYPES,
    MODEL_PROVIDERS,
    MODEL_TYPES,
    OWNERSHIP_TYPES,
)
from hfreg.endpoint import RESPONSE
from hfreg.ui import (
    argument_rows,
    custom_fields,
    endpoint_fields,
    findings,
    form_fields,
    form_state,
    format_code,
    option_fields,
    session,
)
from hfreg.ui.editor import Completion, EditorState, code_editor, current_text
from hfreg.ui.findings import sentence
from hfreg.ui.form_state import Form

CODE = "register.code"
OUTPUT_TYPES = {
    "Map[String, String]": "key-value pairs for structured responses",
    "String": "simple text responses",
    "List": "array of items",
    "Numerical": "one number",
    "Boolean": "true or false",
    "Array[Numerical]": "a vector",
    "Map[String, Any]": "key-value pairs of any kind",
    "Struct[label: String, score: Numerical]": "named parts, each of its type",
    "Any": "anything; nothing is checked",
}
INPUT_HELP = {
    "API Based": "Platform handles API calls automatically using your integration",
    "Python Function": "Custom function implementation with full control",
    "Custom": "Advanced configurations for specialized use cases",
}
ANCHORS = {
    "basic-information": {
        "name",
        "description",
        "group",
        "permissible_purpose",
        "ownership_type",
        "model_type",
        "licence_reason",
    },
    "code-configuration": {"alias", "output_type", "input_type", "model_provider", "endpoint", "folder"},
    "arguments": {"arguments"},
    "scoring-logic": {"scoring_logic", "initialization_logic"},
}


STYLE = """<style>
@media (min-width: 900px) {
  [data-testid="stColumn"]:has(.st-key-register-side) {
    position: sticky; top: 4rem; align-self: flex-start; max-height: calc(100vh - 5rem); overflow-y: auto;
  }
}
[class*="st-key-register-"] h3 { font-size: 1.25rem; padding: 0 0 0.25rem; }
.st-key-register-keys-box { display: none; }
</style>"""


def style() -> None:
    """Keep what stands beside the form in view while the form is scrolled."""
    st.html(STYLE)


def anchor(field: str) -> str:
    """Return the anchor of the card that a field stands in."""
    head = field.partition("[")[0].partition(".")[0]
    return next((name for name, fields in ANCHORS.items() if head in fields), "additional-information")


def draw(form: Form) -> EditorState:
    """Draw the cards and return what the code editor says, with the key that was pressed in it."""
    _card("Basic Information", lambda: _basic(form))
    _card("Code Configuration", lambda: _code_configuration(form))
    _card("Arguments", lambda: _arguments(form))
    state: list[EditorState] = []
    _card("Scoring Logic", lambda: state.append(_scoring_logic(form)))
    _card("Additional Information", lambda: _additional(form))
    return state[0]


def take_sent() -> None:
    """Take what the browser sent of fields and code into the draft, before anything is made of it."""
    form_fields.take_missed()
    custom_fields.take_sent()
    draft = form_state.current()
    form_state.write("scoring_logic", current_text(CODE, draft["fields"]["scoring_logic"], rev=draft["rev"]))


def _card(title: str, content: Callable[[], None]) -> None:
    name = title.lower().replace(" ", "-")
    with st.container(border=True, key=f"register.card.{name}"):
        st.subheader(title, anchor=name)
        content()


def _basic(form: Form) -> None:
    form_fields.text(form, "name", "Name", placeholder="Sentiment classifier", help="What people read in the catalog.")
    form_fields.text(
        form,
        "description",
        "Description",
        tall=True,
        height=120,
        help="Document your model's purpose, use cases, and limitations.",
        placeholder="RoBERTa-based sentiment classifier trained on social media data. Use for customer feedback "
        "analysis and content moderation. Optimized for short text under 512 tokens.",
    )
    left, right = st.columns(2)
    with left:
        form_fields.text(form, "group", "Group", placeholder="Customer feedback", help="What it is listed with.")
        owners = OWNERSHIP_TYPES
        form_fields.choice(form, "ownership_type", "Ownership Type", owners, accept_new_options=True)
    with right:
        purpose = "What it may be used for, for example content moderation."
        form_fields.text(form, "permissible_purpose", "Permissible Purpose", placeholder="Moderation", help=purpose)
        form_fields.choice(form, "model_type", "Model Type", MODEL_TYPES, accept_new_options=True)
    if form.draft["fields"]["licence_reason"] or form.at("licence_reason"):
        why = "Why a licence that needs a reason may be used here. It is kept with the version, and reviewers see it."
        form_fields.text(form, "licence_reason", "Reason for the Licence", help=why)


def _code_configuration(form: Form) -> None:
    form_fields.text(
        form,
        "alias",
        "Alias",
        live=True,
        placeholder="prompt_guard",
        help="A unique identifier for your model, such as sentiment_classifier. "
        "It becomes the variable name you'll use in code.",
    )
    with st.container():
        alias = form.definition.alias
        if alias and not any(f.level == "error" for f in form.at("alias")):
            word = "is its alias" if alias == form.draft["target"] else "is free"
            st.caption(sentence(f"`{alias}` {word}: `from hfreg.models import {alias}`"))
    form_fields.choice(
        form,
        "output_type",
        "Output Type",
        tuple(OUTPUT_TYPES),
        accept_new_options=True,
        format_func=lambda one: f"{one} – {OUTPUT_TYPES[one]}" if one in OUTPUT_TYPES else str(one),
        help="The return format. Choose one or write any type, such as Array[String] or dict[str, float].",
    )
    _input_type(form)
    form_fields.choice(
        form, "model_provider", "Model Provider", MODEL_PROVIDERS, help="From Settings → Platform Integrations."
    )
    if endpoint_fields.chosen(form):
        endpoint_fields.address(form)
    if custom_fields.chosen(form):
        custom_fields.folder(form)


def _arguments(form: Form) -> None:
    argument_rows.card(form)
    if endpoint_fields.chosen(form):
        endpoint_fields.mapping(form)


def _input_type(form: Form) -> None:
    """Draw the three kinds in their order; those that are not there yet cannot be chosen."""
    chosen = form.draft["fields"]["input_type"]
    with st.container(gap=None, key="register.input_types"):
        st.markdown("Input Type")
        for name in INPUT_TYPES:
            ready, key = name in AVAILABLE_INPUT_TYPES, f"register.input_type.{name}"
            label = name if ready else f"{name} (not available yet)"
            taken = partial(form_state.write, "input_type", name)
            take = form_fields.hold(key, label if name == chosen else None, taken)
            st.radio(
                name,
                [label],
                index=None,
                captions=[INPUT_HELP[name]],
                key=key,
                disabled=not ready,
                label_visibility="collapsed",
                on_change=take,
            )
    findings.beside(form.at("input_type"))


def _scoring_logic(form: Form) -> EditorState:
    draft, definition = form.draft, form.definition
    first = custom_fields.initialization(form) if custom_fields.chosen(form) else None
    names = [a.alias for a in definition.arguments if a.alias]
    given = ", ".join(f"`{name}`" for name in (*names, *sorted(definition.given_names), *definition.resources))
    if endpoint_fields.chosen(form):
        st.caption(sentence("Optional: without it the reply is made to fit the output type. `response` is the reply."))
    st.caption(sentence(f"A function body: `return` gives the answer. Automatically available: {given}."))
    state = code_editor(
        CODE,
        draft["fields"]["scoring_logic"],
        label="Scoring Logic",
        rev=draft["rev"],
        min_height=320,
        max_height=640,
        completions=_completions(form),
        markers=findings.markers(form.findings, draft["fields"]["scoring_logic"]),
        on_change=_code_changed,
    )
    if state.text != draft["fields"]["scoring_logic"]:
        form_state.write("scoring_logic", state.text)
    st.button("Format", key="register.format", on_click=_format, help="Lays the code out as Black does.")
    if problem := session.get("register.format_problem"):
        st.warning(sentence(problem))
    findings.beside(f for f in form.at("scoring_logic") if draft["tried"] or f.level == "error")
    return replace(state, event=first.event) if first is not None and first.event else state


def _completions(form: Form) -> list[Completion]:
    definition = form.definition
    arguments = [Completion(a.alias, "variable", a.type, a.usage) for a in definition.arguments if a.alias]
    resources = [Completion(alias, "function", "registered model") for alias in definition.resources]
    cache = Completion("cache", "variable", "dict", "Lives as long as the loaded model, for what load-once cannot see.")
    reply = Completion(RESPONSE, "variable", "Any", "What the endpoint replied.")
    return [*arguments, *resources, cache, *([reply] if RESPONSE in definition.given_names else [])]


def _code_changed(text: str, rev: int) -> None:
    if rev == form_state.current()["rev"]:
        session.drop("register.format_problem")
        form_state.write("scoring_logic", text)


def _format() -> None:
    draft = form_state.current()
    session.drop("register.format_problem")
    try:
        formatted = format_code.formatted(draft["fields"]["scoring_logic"])
    except ValueError as error:
        session.put("register.format_problem", str(error))
        return
    if formatted != draft["fields"]["scoring_logic"]:
        draft["rev"] += 1
        form_state.write("scoring_logic", formatted)


def _additional(form: Form) -> None:
    others = [alias for alias in form.registry.definitions.aliases() if alias != form.draft["target"]]
    form_fields.several(
        form,
        "resources",
        "Resources",
        others,
        placeholder="Other registered models",
        help="Models that the scoring logic calls by their alias, like functions.",
    )
    form_fields.switch(
        form,
        "token",
        "Scoring logic needs the Hugging Face token",
        help="Puts HUGGINGFACE_TOKEN into the environment of this code. Downloads of private models need no switch.",
    )
    form_fields.switch(form, "network", "Scoring logic needs the network")
    st.caption(
        "Off, a confined model reaches no network; what it loads is downloaded for it. Reviewers see the switch."
    )
    form_fields.switch(
        form,
        "pickled_weights",
        "Allow pickled weights",
        help="For a repository without safetensors. Its .bin files are read with PyTorch's restricted unpickler, "
        "which was bypassed before: allow it for sources you trust. Reviewers see it.",
    )
    form_fields.switch(form, "store_payloads", "Store texts and answers of each call")
    kept = "Each call keeps its arguments and its answer in the invocation log, in clear."
    unkept = "Calls are logged with time, user, status, durations and sizes, without texts and answers."
    st.caption(kept if form.draft["fields"]["store_payloads"] else unkept)
    usual = f"{form.registry.settings.timeout_s:g} (the platform's default)"
    form_fields.number(form, "time_s", "Time Limit (seconds)", min_value=0.1, max_value=3600.0, placeholder=usual)
    if not endpoint_fields.chosen(form):
        option_fields.draw(form)
    form_fields.note(form)
    form_fields.text(form, "notes", "Notes", tall=True, height=80, placeholder="For those who work on this model.")
