"""Loaded row: one model in memory on the Loaded models page — what it is, does, takes, and what can be done to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from hfreg.engine import Loaded
from hfreg.registry import Registry
from hfreg.ui import frame, session
from hfreg.ui.widgets import Colour, ago, counted, milliseconds, plain, state_badge
from hfreg.version import Version

UNLOAD, RESTART = "Unload", "Restart"
Act = Callable[[str, Loaded], None]
DOING: dict[str, tuple[Colour, str]] = {
    "starting": ("orange", "Its process is being started, or waits for memory."),
    "loading": ("orange", "Its first call is in work, which loads what it needs."),
    "answering": ("green", "It answers a call."),
    "idle": ("gray", "It waits for calls."),
    "frozen": ("blue", "It waits for calls and uses no processor until one comes."),
}
TIER_COLOURS: dict[str, Colour] = {"confined": "green", "process only": "orange", "inline": "gray"}
LAYERS = {
    "landlock": "Reaches no files but its own",
    "seccomp": "Makes harmless calls of the kernel only",
    "rlimits": "Has bounds of memory, files and descriptors",
    "no_new_privs": "Gains no rights",
    "caps": "Has no rights of an administrator",
    "dumpable": "Is hidden from other processes",
    "pdeathsig": "Ends with the process that started it",
    "bubblewrap": "Sees no processes but its own",
    "oom": "Goes first when the machine runs out of memory",
}
"""What each layer of confinement means to somebody who reads the page."""
STYLE = """<style>
[class*="st-key-loaded_row_"] {padding: 0.7rem 1rem 0.8rem}
[class*="st-key-loaded_row_"] [data-testid="stVerticalBlock"] {gap: 0.2rem}
[class*="st-key-loaded_row_"] [data-testid="stPageLink-NavLink"] {padding: 0; margin: 0}
.hfreg-facts {display: flex; flex-wrap: wrap; gap: 0.35rem 1.5rem; align-items: flex-end;
  font-size: 0.875rem; font-variant-numeric: tabular-nums}
.hfreg-facts span {white-space: nowrap}
.hfreg-facts .name {display: block; opacity: 0.75; font-size: 0.75rem}
.hfreg-facts .memory {display: flex; align-items: center; gap: 0.75rem}
.hfreg-facts .track {flex: 1 1 6rem; height: 8px; border-radius: 4px; background: rgba(128,132,150,.22)}
.hfreg-facts .part {height: 100%; border-radius: 4px; min-width: 3px}
</style>"""


def draw(one: Loaded, registry: Registry, key: str, colour: str, act: Act) -> None:
    """Draw one model under a key of its own; `act` is called with UNLOAD or RESTART and the model when asked for."""
    saved = registry.definitions.find(one.alias, one.version) if one.version else None
    with st.container(border=True, key=f"loaded_row_{key}"):
        what, now, acts = st.columns([8, 7, 9], vertical_alignment="center")
        with what:
            _what(one, saved)
        with now:
            _doing(one, key)
        with acts:
            if one.tier != "inline":  # there nothing has to go for others
                _keep(one, registry, key)
            _acts(one, saved is not None, key, act)
        st.html(_takes(one, colour))


def mebibytes(count: float) -> str:
    """Return bytes as people read memory: `412 MiB`, `11.8 GiB`.

    >>> mebibytes(5 * 2**20), mebibytes(2.5 * 2**30), mebibytes(300 * 1024)
    ('5 MiB', '2.5 GiB', '0.3 MiB')
    """
    if count >= 2**30:
        return f"{count / 2**30:.1f} GiB"
    return f"{count / 2**20:.0f} MiB" if count >= 2**20 or not count else f"{count / 2**20:.1f} MiB"


def _what(one: Loaded, saved: Version | None) -> None:
    if saved is None:
        why = "not registered any more" if one.version else "not saved, loaded for Test Code"
        st.markdown(f"**{plain(one.alias)}**  \n:small[:gray[{why}]]")
    else:
        address = {"alias": one.alias, "version": str(one.version)}
        st.page_link(frame.MODEL, label=f"**{plain(one.alias)}**", query_params=address)
        st.markdown(f"{state_badge(saved)} :small[:gray[version {one.version}]]")
    called = f"last call {_ago(one.last_call)}" if one.calls else "not called yet"
    begun = "Begun" if one.doing == "starting" else "Loaded"
    st.caption(f"{begun} {_ago(one.since)} · {called}")


def _doing(one: Loaded, key: str) -> None:
    badges = [f":{DOING[one.doing][0]}-badge[{one.doing}]"]
    if one.kept:
        badges.append(":violet-badge[kept loaded]")
    if one.waiting:
        badges.append(f":orange-badge[{counted(one.waiting, 'call')} waiting]")
    tier = f":{TIER_COLOURS.get(one.tier, 'gray')}-badge[{one.tier}]"
    st.markdown(" ".join(badges if one.layers else [*badges, tier]))
    if not one.layers:
        return
    with st.popover(one.tier, key=f"loaded.layers.{key}", type="tertiary", icon=":material/shield:"):
        st.markdown(f"**{one.alias}** · {tier} · process {one.pid or 'ended'}")
        st.markdown("  \n".join(_layer(name, report) for name, report in one.layers.items()))
        held = f"One call may take {mebibytes(one.limit_bytes)}. " if one.limit_bytes else ""
        st.caption(f"{held}{DOING[one.doing][1]}")


def _layer(name: str, report: str) -> str:
    on, _, detail = report.partition(": ")
    sign = ":green[:material/check:]" if on == "on" else ":red[:material/close:]"
    return f"{sign} {LAYERS.get(name, 'Another layer')} :small[:gray[{plain(name)}: {plain(detail)}]]"


def _takes(one: Loaded, colour: str) -> str:
    """Return the figures of a model as HTML; nothing that a user wrote is among them."""
    facts = {
        "Calls": f"{one.calls:,}",
        "Cold": "–" if one.cold_ms is None else milliseconds(one.cold_ms),
        "Warm": "–" if one.warm_ms is None else milliseconds(one.warm_ms),
        "CPU": "–" if one.cpu_s is None else f"{one.cpu_s:.1f} s",
    }
    cells = "".join(f'<div><span class="name">{name}</span><span>{value}</span></div>' for name, value in facts.items())
    bar, of = "", ""
    if one.limit_bytes:
        width = 100 * min(1.0, one.memory_bytes / one.limit_bytes)
        bar = f'<div class="track"><div class="part" style="width:{width:.1f}%;background:{colour}"></div></div>'
        of = f" of {mebibytes(one.limit_bytes)}"
    memory = f'<div class="memory">{bar}<span>{mebibytes(one.memory_bytes)}{of}</span></div>'
    whole = f'<div style="flex:1 1 15rem"><span class="name">Memory</span>{memory}</div>'
    return f'<div class="hfreg-facts">{cells}{whole}</div>'


def _keep(one: Loaded, registry: Registry, key: str) -> None:
    def keep() -> None:
        registry.keep(one.alias, one.version, session.get(f"loaded.keep.{key}"))

    session.put(f"loaded.keep.{key}", one.kept)
    about = "It stays when others need its memory, until it is unloaded or the workbench ends."
    st.toggle("Keep loaded", key=f"loaded.keep.{key}", on_change=keep, help=about)


def _acts(one: Loaded, saved: bool, key: str, act: Act) -> None:
    ends = " What waits for it is answered first." if one.busy or one.waiting else ""
    with st.container(horizontal=True, gap="small"):
        if saved:  # what Test Code ran nobody could start again
            st.button(
                "Restart",
                key=f"loaded.restart.{key}",
                icon=":material/restart_alt:",
                on_click=act,
                args=(RESTART, one),
                help=f"Unload it and load it afresh.{ends}",
            )
        st.button(
            "Unload",
            key=f"loaded.unload.{key}",
            icon=":material/eject:",
            on_click=act,
            args=(UNLOAD, one),
            help=f"Give its memory back; its next call loads it again.{ends}",
        )


def _ago(at: float) -> str:
    return ago(datetime.fromtimestamp(at, UTC))
