"""Licence policy: which licences may be used here, as a card of Platform Integrations.

A rule is set for one id at a time; every change is kept with who and when, and holds from the next load on. What the
policy does to models is the matter of `hfreg.licensing`.
"""

from __future__ import annotations

import streamlit as st

from hfreg.errors import HfregError
from hfreg.licences import LISTED_ELSE, POLICY, UNKNOWN, VERDICTS, Policy
from hfreg.registry import Registry
from hfreg.store.policies import Decided
from hfreg.ui import session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import counted, moment, plain

NAME = "licences"
ID, VERDICT, SAID, PROBLEM = (f"{NAME}.{name}" for name in ("id", "verdict", "said", "problem"))
MEANING = {
    "allowed": "may be used",
    "needs a reason": "may be used when the definition says why",
    "denied": "neither registered nor loaded",
}


def card(registry: Registry) -> None:
    """Draw the table by verdict, the way to change it, and whom it refuses."""
    with st.container(border=True, key="licences.card"):
        st.subheader("Licence policy", anchor=False)
        st.caption(
            "By the licence ids of the Hub, for repositories, folders and the models of endpoints. "
            f"`{UNKNOWN}` is a card that names none, `{LISTED_ELSE}` also any id that is not listed. "
            "Of several licences the strictest counts."
        )
        try:
            decided = registry.licensing.policies.licences()
        except HfregError as error:
            st.error(sentence(str(error)))
            return
        _table(decided)
        _change(decided.policy.rules == POLICY.rules)
        _messages()
        _refused(registry)


def _table(decided: Decided) -> None:
    for verdict in VERDICTS:
        names = [name for name, rule in decided.policy.rules.items() if rule == verdict]
        told = " ".join(f":gray-badge[{plain(name)}]" for name in names) or "none"  # badges do not break inside
        st.markdown(f"**{verdict.capitalize()}**, {MEANING[verdict]}: {told}")
    who = f"Decided by {plain(decided.by)}, {moment(decided.at)}." if decided.at else "As delivered; nobody changed it."
    st.caption(who)


def _change(delivered: bool) -> None:
    known = sorted({*session.registry().licensing.policy.rules, *POLICY.rules})
    with (
        st.form("licences.form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        st.selectbox("Licence", known, index=None, key=ID, accept_new_options=True, width=240, placeholder="Any id")
        st.selectbox("Verdict", VERDICTS, key=VERDICT, width=180)
        st.form_submit_button("Set", key="licences.set", on_click=_set)
    back = "Back to the delivered policy"
    st.button(back, key="licences.delivered", on_click=_decide, args=[POLICY], disabled=delivered)


def _set() -> None:
    name = str(session.get(ID) or "").strip().lower()
    verdict = next((one for one in VERDICTS if one == session.get(VERDICT)), VERDICTS[0])
    session.drop(SAID, PROBLEM)
    if not name:
        session.put(PROBLEM, "Choose a licence, or write its id, such as `apache-2.0`.")
        return
    try:
        policy = session.registry().licensing.policy.with_rule(name, verdict)
    except HfregError as error:
        session.put(PROBLEM, str(error))
        return
    _decide(policy, f"`{name}` is {verdict} from now on.")


def _decide(policy: Policy, said: str = "The delivered policy holds again.") -> None:
    registry = session.registry()
    session.drop(SAID, PROBLEM)
    try:
        registry.licensing.decide(policy, session.user())
        dropped = registry.unload_refused()
    except HfregError as error:
        session.put(PROBLEM, str(error))
        return
    unloaded = f" Unloaded: {', '.join(f'`{alias}`' for alias in dropped)}." if dropped else ""
    session.put(SAID, said + unloaded)


def _messages() -> None:
    if said := session.get(SAID):
        st.success(sentence(said), icon=":material/check:")
    if problem := session.get(PROBLEM):
        st.error(sentence(problem))


def _refused(registry: Registry) -> None:
    refused = [
        version.alias for version in registry.catalog() if registry.licensing.refuses(version.definition, version.pins)
    ]
    if refused:
        names = ", ".join(f"`{alias}`" for alias in refused)
        verb = "does" if len(refused) == 1 else "do"
        st.warning(sentence(f"{counted(len(refused), 'model')} {verb} not load under this policy: {names}."))
