"""Hub view: one repository of the Hub on the page, with what governance needs to know of it.

Draws what `hfreg.hub.look` found and says plainly what is not known. It shows a card as text: no HTML, no image.
"""

from __future__ import annotations

import re

import streamlit as st

from hfreg.hub.card import card_text
from hfreg.hub.look import Base, Details, Look
from hfreg.hub.repo import Repo, Scan
from hfreg.licences import Verdict
from hfreg.registry import Registry
from hfreg.ui import session
from hfreg.ui.findings import sentence
from hfreg.ui.token_doctor import SAID
from hfreg.ui.widgets import Colour, counted, plain, size

VERDICTS: dict[Verdict, Colour] = {"allowed": "green", "needs a reason": "orange", "denied": "red"}
FILES = "start.hub.files"
WORKER_BYTES = 80 * 2**20
"""What a loaded model takes besides its weights, as the memory budget counts it."""
SCANS: dict[Scan, tuple[Colour, str]] = {
    "unknown": ("gray", "The Hub says nothing of a scan: unknown, not safe."),
    "not finished": ("gray", "The scans are not finished: unknown, not safe."),
    "no issues found": ("green", "The Hub's scanners found no issues. Scanners can be wrong."),
    "issues found": ("red", "The Hub's scanners found issues in"),
}
_WEB = re.compile(r"https?://[^\s()<>\[\]\"'`\\]+")


def facts_in_a_line(repo: Repo) -> str:
    """Return what a list of results shows of one repository, as Markdown."""
    facts = [repo.task or "no task", f"{repo.downloads:,} downloads", f"{repo.likes:,} likes"]
    facts.append(f"licence {repo.licence}" if repo.licences else "no licence named")
    facts.append(f"{many(repo.parameters)} parameters" if repo.parameters else "size not said")
    facts += [word for word, holds in (("gated", repo.gated), ("private", repo.private)) if holds]
    facts += [f"updated {repo.updated:%Y-%m-%d}"] if repo.updated else []
    return " · ".join(plain(fact) for fact in facts)


def many(count: int) -> str:
    """Return a number of parameters as people say it: `66 M`, `1.2 B`."""
    for unit, word in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:.1f} {word}" if count < 10 * unit else f"{count / unit:.0f} {word}"
    return str(count)


def draw(registry: Registry, looked: Look) -> None:
    """Draw what the first look found."""
    repo = looked.repo
    badges = [("blue", repo.task or "no task")] + ([("gray", repo.library)] if repo.library else [])
    badges += [("orange", "gated")] if repo.gated else []
    badges += [("orange", "private")] if repo.private else []
    badges += [("red", "code of its own")] if repo.remote_code else []
    st.markdown(f"**{plain(repo.id)}** " + " ".join(f":{colour}-badge[{plain(word)}]" for colour, word in badges))
    if looked.message:
        st.info(sentence(looked.message))
    when = f", updated {repo.updated:%Y-%m-%d}" if repo.updated else ""
    lines = [f"Commit `{repo.commit}`{when}", _licence(registry, repo), _weights(looked), _memory(registry, looked)]
    if looked.online:
        lines.append(f"{repo.downloads:,} downloads last month, {counted(repo.likes, 'like')}")
    st.markdown("  \n".join(lines))


def details(looked: Look, found: Details) -> None:
    """Draw what followed: the longest input, base models, scans and access."""
    lines = [_longest(looked, found), _bases(looked.repo, found.bases)]
    colour, words = SCANS[found.security.scan]
    files = f" {', '.join(f'`{name}`' for name in found.security.files[:5])}." if found.security.files else ""
    lines.append(f"Security :{colour}-badge[{found.security.scan}] {words}{files}")
    if found.access is not None:
        colour, word = SAID[found.access.verdict]
        lines.append(f"Access :{colour}-badge[{word}] {sentence(found.access.message)}")
    st.markdown("  \n".join(lines))


def card(looked: Look) -> None:
    """Draw the files on request, and the card as text."""
    repo = looked.repo
    st.toggle(f"Show the {counted(len(repo.files), 'file')}", key=FILES)
    if session.get(FILES):
        rows = [{"File": file.name, "Size": size(file.size)} for file in repo.files[:500]]
        st.dataframe(rows, hide_index=True, height=min(320, 40 + 35 * len(rows)))
    text = card_text(looked.readme)
    if looked.readme_problem:
        shut = repo.gated and not text  # why it is shut stands at Access
        st.caption("Its card is shown once access is granted." if shut else sentence(looked.readme_problem))
    if text:
        with st.container(height=320, border=True, key="start.hub.card"):
            st.markdown(text)
    elif not looked.readme_problem:
        st.caption("It has no card.")


def _licence(registry: Registry, repo: Repo) -> str:
    verdict = registry.licensing.policy.verdict(repo.licences)
    badge = f":{VERDICTS[verdict]}-badge[{verdict}]"
    if not repo.licences:
        return f"Licence :orange-badge[unknown] its card names none {badge}"
    named = f" ({plain(repo.licence_name)})" if repo.licence_name else ""
    link = repo.licence_link
    if link and not link.startswith(("http://", "https://")):
        link = f"{registry.hub.endpoint}/{repo.id}/blob/{repo.commit}/{link}"
    text = f" · [text]({link})" if _WEB.fullmatch(link) else ""
    return f"Licence {' '.join(f'`{one}`' for one in repo.licences)}{named}{text} {badge}"


def _weights(looked: Look) -> str:
    repo = looked.repo
    formats = ", ".join(looked.formats) or "none"
    total = sum(file.size for file in repo.files)
    dtypes = ", ".join(f"{kind} {many(count)}" for kind, count in repo.dtypes)
    parts = [f"Weights {plain(formats)}", f"{counted(len(repo.files), 'file')}, {size(total)} together"]
    parts.append(f"{many(repo.parameters)} parameters" if repo.parameters else "number of parameters not said")
    return " · ".join([*parts, *([f"stored as {plain(dtypes)}"] if dtypes else [])])


def _memory(registry: Registry, looked: Look) -> str:
    if not looked.weight_bytes:
        return "Memory: unknown, there are no weights that would be loaded."
    needed = looked.weight_bytes + WORKER_BYTES
    about = f"Memory about {size(needed)} to load"
    budget = registry.engine.standing().budget_bytes
    if budget is None:
        return f"{about}; this engine has no budget to hold it against."
    if needed > budget:
        return f"{about} :red-badge[does not fit] the budget is {size(budget)}."
    return f"{about} :green-badge[fits] the budget is {size(budget)}. Calls take more."


def _longest(looked: Look, found: Details) -> str:
    if found.longest:
        return f"Longest input {found.longest:,} tokens, says its tokenizer"
    if looked.positions:
        return f"Longest input {looked.positions:,} positions, says its configuration; the tokenizer says nothing"
    return "Longest input not said"


def _bases(repo: Repo, bases: tuple[Base, ...]) -> str:
    if not repo.base_models:
        return "Base model: none named"
    if not bases:
        return f"Base models: {', '.join(f'`{name}`' for name in repo.base_models)}, not asked"
    relation = f" ({plain(repo.base_relation)})" if repo.base_relation else ""
    told = [f"{'› ' * base.depth}`{base.id}` {_of_base(base)}" for base in bases]
    return f"Made from{relation}: " + ", ".join(told)


def _of_base(base: Base) -> str:
    if base.problem:
        return "(licence not known: it cannot be read)"
    return f"({', '.join(f'`{one}`' for one in base.licences)})" if base.licences else "(no licence named)"
