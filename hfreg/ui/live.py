"""Live: a run that is going on, followed from a page.

    run = session.runs().start(registry, version, arguments, "playground", session.user())
    if live.settle(run):
        answers.draw(run.outcome, run.version.definition, key)
    else:
        live.follow(run, key)

`settle` waits a moment, so that a fast answer is drawn by the script run that asked for it. `follow` polls a slower
one from a fragment: stage, download, printed text and pieces as they come; when it is done the page runs again. Where
an answer may come in pieces, each look lasts a while and draws a piece when it comes, not when the next one is due. The
run itself lives in `session.runs()` and goes on whoever looks.
"""

from __future__ import annotations

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hfreg.definition import Definition
from hfreg.endpoint import STREAMED
from hfreg.ui import session
from hfreg.ui.runs import LiveRun
from hfreg.ui.widgets import plain, size

WAIT_S = 0.3
EVERY_S = 0.3
LOOK_S = 0.002
PIECES_EVERY_S, HOLD_S = 0.1, 0.2
"""Where pieces may come: from look to look, and how long one lasts; a click on Stop may wait that long."""
REDRAW_S = 0.03
TAIL = 8_000
"""Characters of printed or streamed text that are shown while it grows."""

STAGES = {
    "queued": "Waiting for its turn",
    "loading": "Loading",
    "download": "Downloading",
    "loaded": "Loaded",
    "running": "Running",
}


def settle(run: LiveRun, seconds: float = WAIT_S, *, from_now: bool = False) -> bool:
    """Wait for the outcome, up to so many seconds after the run began (or from now); return whether it is there.

    A run that may stream is waited for only `from_now`: its first piece needs a page that is drawn.
    """
    began = time.time() if from_now else run.started_at
    if not from_now and may_stream(run.version.definition):
        return run.done
    while not run.done and 0 <= time.time() - began < seconds:
        time.sleep(LOOK_S)
    return run.done


def follow(run: LiveRun, key: str, *, stop: bool = True) -> None:
    """Draw a run until it is done, then run the page again; `stop` adds the button that ends it in the engine."""

    pieces = may_stream(run.version.definition)

    @st.fragment(run_every=PIECES_EVERY_S if pieces else EVERY_S)
    def polled() -> None:
        if run.done:
            st.rerun()
        text = progress(run, key)
        if stop:
            st.button("Stop", key=f"{key}.stop", icon=":material/stop_circle:", on_click=run.cancel)
        if pieces:
            _hold(run, text)
            if run.done:
                st.rerun()

    polled()


def may_stream(definition: Definition) -> bool:
    """Whether an answer may come in pieces, as far as can be told without running anything."""
    if (endpoint := definition.endpoint) is not None:
        return endpoint.stream and endpoint.task in STREAMED and not definition.scoring_logic.strip()
    return "yield" in definition.scoring_logic


def progress(run: LiveRun, key: str) -> DeltaGenerator:
    """Draw where a run stands at this moment; returns the place of what it streams."""
    with st.container(key=f"{key}.live"):
        st.markdown(f":material/hourglass_top: **{STAGES.get(run.stage, 'Running')}** · {run.seconds:.1f} s")
        if run.download is not None:
            _download(run, f"{key}.rate")
        text = st.empty()
        if run.pieces:
            text.text(_streamed(run))
        if run.printed:
            st.caption("Printed so far")
            st.code("".join(list(run.printed))[-TAIL:], language=None, wrap_lines=True)
    return text


def rate(run: LiveRun, key: str, now: float) -> float:
    """Return the bytes per second of the file that is being downloaded, since this session first saw it."""
    download = run.download or {}
    mark = (run.id, download.get("repo"), download.get("file"))
    done = float(download.get("done") or 0)
    known, began, at_first = session.get(key, (None, now, done))
    if known != mark:
        session.put(key, (mark, now, done))
        return 0.0
    return (done - at_first) / (now - began) if now > began else 0.0


def _hold(run: LiveRun, text: DeltaGenerator) -> None:
    """Draw pieces as they come, for as long as one look lasts."""
    shown, drawn, began = _streamed(run), 0.0, time.monotonic()
    while not run.done and (now := time.monotonic()) - began < HOLD_S:
        if now - drawn >= REDRAW_S and run.pieces and (streamed := _streamed(run)) != shown:
            text.text(streamed)
            shown, drawn = streamed, now
        time.sleep(LOOK_S)


def _download(run: LiveRun, key: str) -> None:
    download = run.download or {}
    done, total = float(download.get("done") or 0), float(download.get("total") or 0)
    speed = rate(run, key, time.monotonic())
    words = [f"{download.get('repo', '')} {download.get('file', '')}".strip()]
    words.append(f"{size(done)} of {size(total)}" if total else size(done))
    if speed > 0:
        words.append(f"{size(speed)}/s")
    st.progress(min(1.0, done / total) if total else 0.0, text=plain(" · ".join(words)))


def _streamed(run: LiveRun) -> str:
    pieces = list(run.pieces)
    whole = "".join(pieces) if all(isinstance(p, str) for p in pieces) else "\n".join(map(str, pieces))
    return whole[-TAIL:]
