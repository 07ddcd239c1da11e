"""Forwards: the calls of one model that wait for each other, made as few forward passes as answer them all.

Calls are sorted by length, cut so that no cut is longer than a budget of padded tokens or wastes much of it (how much
is learned of each model: `hfreg.scoring.pace`), padded, passed through the model once per cut, and each gets its own
part of the answer. Only what is known to answer the same in company is taken: encoders over attention masks, in 32-bit
floats, in evaluation. The first padded cut of a model is checked against a call alone, and a model that answers
differently runs alone from then on. A cut that fails is run one by one, so that only the call that is at fault fails.
Whose calls these are, and when they run, is the baton's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from hfreg.scoring.pace import BUDGET, SLACK, Pace

TOLERANCE = 1e-4
"""How far an answer in company may be from the answer alone, absolutely and relatively."""
ENCODERS = frozenset({
    "albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "eurobert", "modernbert",
    "mpnet", "nomic_bert", "rembert", "roberta", "roformer", "xlm-roberta", "xlm-roberta-xl",
})  # fmt: skip
"""Kinds of model (`config.model_type`) whose attention masks keep padding out of the answer."""
HEADS = ("Model", "ForSequenceClassification", "ForTokenClassification", "ForMaskedLM")
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
SETTLED: Mapping[str, Any] = {"use_cache": False, "return_dict": True}
"""Keyword arguments that may stand beside the inputs, with the one value that changes nothing."""


class Turn(Protocol):
    """The row that a call belongs to, as far as its forward pass goes."""

    stopping: bool

    def lead(self, turns: Sequence[Turn]) -> None:
        """A forward pass begins that is made for the calls of these rows, this one the first of them."""

    def led(self) -> None:
        """The forward pass ended."""


class Call:
    """One call of a model that waits: its inputs, then its answer or error."""

    __slots__ = ("answer", "error", "inputs", "key", "length", "model", "rows", "run", "seconds", "turn")

    def __init__(self, turn: Turn, model: Any, run: Callable[..., Any], name: str, inputs: dict[str, Any]) -> None:
        self.turn = turn
        self.model = model
        self.run = run
        self.inputs = inputs
        self.rows, self.length = inputs["input_ids"].shape
        self.key = (id(model), name, tuple(sorted(inputs)), str(inputs["input_ids"].device))
        self.seconds = 0.0
        self.answer: Any = None
        self.error: BaseException | None = None


class Unlike(Exception):
    """A model answers in a form that cannot be taken apart, or differently in company."""


def gatherable(model: Any) -> bool:
    """Whether the calls of a loaded model may be made together at all."""
    config = getattr(model, "config", None)
    if getattr(config, "model_type", None) not in ENCODERS or not type(model).__name__.endswith(HEADS):
        return False
    if getattr(config, "output_hidden_states", False) or getattr(config, "output_attentions", False):
        return False
    kinds = {parameter.dtype for parameter in model.parameters()}
    return kinds == {sys.modules["torch"].float32}


def fits(model: Any, args: tuple[Any, ...], inputs: Mapping[str, Any]) -> bool:
    """Whether one call of a gatherable model may be made with others: texts alone, and nothing to learn from."""
    torch = sys.modules["torch"]
    if args or model.training or torch.is_grad_enabled():
        return False
    ids: Any = inputs.get("input_ids")
    mask: Any = inputs.get("attention_mask")
    if type(ids) is not torch.Tensor or type(mask) is not torch.Tensor or ids.dim() != 2 or mask.dim() != 2:
        return False
    for name, value in inputs.items():
        if name in INPUTS:
            if type(value) is not torch.Tensor or value.shape != ids.shape:
                return False
        elif name not in SETTLED or value is not SETTLED[name]:
            return False
    return ids.shape[1] > 0 and ids.dtype == torch.int64 and not torch.is_autocast_enabled(ids.device.type)


def cuts(calls: Iterable[Call], budget: int = BUDGET, slack: int = SLACK) -> Iterator[list[Call]]:
    """Yield the calls of one group, the longest first, in cuts of at least one call."""
    cut: list[Call] = []
    rows = waste = longest = 0
    for call in sorted(calls, key=lambda call: -call.length):
        more = (longest - call.length) * call.rows
        if cut and ((rows + call.rows) * longest > budget or waste + more > slack):
            yield cut
            cut = []
        if not cut:
            rows, waste, longest, more = 0, 0, call.length, 0
        cut.append(call)
        rows, waste = rows + call.rows, waste + more
    if cut:
        yield cut


class Forwards:
    """Makes the calls that wait; remembers which models were seen to answer in company as they do alone."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._proven: set[int] = set()
        self._paces: dict[int, Pace] = {}
        self.alone: set[int] = set()

    def answer(self, calls: Sequence[Call]) -> None:
        """Give each call its answer or its error; calls of rows that are being stopped are passed over."""
        groups: dict[Any, list[Call]] = {}
        for call in calls:
            groups.setdefault(call.key, []).append(call)
        for group in groups.values():
            pace = self._paces.setdefault(id(group[0].model), Pace())
            for budget, share in pace.shares(group):
                for cut in cuts(share, budget, pace.slack):
                    self._cut(cut, pace, budget)

    def _cut(self, cut: list[Call], pace: Pace, budget: int) -> None:
        left = [call for call in cut if not call.turn.stopping]
        if len(left) > 1 and id(left[0].model) not in self.alone:
            try:
                self._timed(left, lambda: self._together(left))
                pace.note(left, sum(call.seconds for call in left), budget)
                return
            except Unlike:
                self.alone.add(id(left[0].model))
            except BaseException:  # one of them is at fault, or is being stopped: each alone tells which
                pass
        for call in left:
            if not call.turn.stopping:
                self._alone(call)
        if len(left) == 1 and left[0].error is None:
            pace.note(left, left[0].seconds, budget)

    def _alone(self, call: Call) -> None:
        try:
            self._timed([call], lambda: self._single(call))
        except BaseException as problem:
            call.error = problem

    def _timed(self, calls: list[Call], run: Callable[[], None]) -> None:
        began = self._clock()
        calls[0].turn.lead([call.turn for call in calls])
        try:
            run()
        finally:
            share = (self._clock() - began) / len(calls)
            for call in calls:
                call.seconds += share
            calls[0].turn.led()

    def _single(self, call: Call) -> None:
        call.answer = forwarded(call.run, call.model, call.inputs)

    def _together(self, cut: list[Call]) -> None:
        longest, model = cut[0].length, cut[0].model
        padded = any(call.length < longest for call in cut)
        inputs = {name: _padded(cut, name, _fill(model, name), longest) for name in cut[0].inputs if name in INPUTS}
        settled = {name: value for name, value in cut[0].inputs.items() if name not in INPUTS}
        answers = list(_parts(forwarded(cut[0].run, model, {**inputs, **settled}), cut, longest))
        if padded and id(model) not in self._proven:
            shortest = cut[-1]
            if not _alike(answers[-1], forwarded(shortest.run, model, shortest.inputs)):
                raise Unlike
            self._proven.add(id(model))
        for call, answer in zip(cut, answers, strict=True):
            call.answer = answer


def forwarded(run: Callable[..., Any], model: Any, inputs: Mapping[str, Any]) -> Any:
    """Pass inputs through a model; it may be interrupted in here."""
    with sys.modules["torch"].no_grad():
        return run(model, **inputs)


def _fill(model: Any, name: str) -> int:
    pad = getattr(model.config, "pad_token_id", None)
    return pad if name == "input_ids" and isinstance(pad, int) else 0


def _padded(cut: list[Call], name: str, fill: int, longest: int) -> Any:
    tensors = [call.inputs[name] for call in cut]
    if all(tensor.shape[1] == longest for tensor in tensors):
        return sys.modules["torch"].cat(tensors)
    whole = tensors[0].new_full((sum(call.rows for call in cut), longest), fill)
    row = 0
    for tensor in tensors:
        count, length = tensor.shape
        whole[row : row + count, :length] = tensor
        row += count
    return whole


def _parts(whole: Any, cut: list[Call], longest: int) -> Iterator[Any]:
    """Yield each call's own answer, as the model would have given it without padding."""
    torch, total = sys.modules["torch"], sum(call.rows for call in cut)
    fields = dict(whole.items()) if hasattr(whole, "to_tuple") else None
    if not fields or not all(
        type(value) is torch.Tensor and value.dim() in (2, 3) and value.shape[0] == total
        and (value.dim() == 2 or value.shape[1] == longest)
        for value in fields.values()
    ):  # fmt: skip
        raise Unlike
    row = 0
    for call in cut:
        own = {name: value[row : row + call.rows] for name, value in fields.items()}
        yield type(whole)(
            **{n: value[:, : call.length].contiguous() if value.dim() == 3 else value for n, value in own.items()}
        )
        row += call.rows


def _alike(one: Any, other: Any) -> bool:
    torch = sys.modules["torch"]
    return set(one) == set(other) and all(
        one[name].shape == other[name].shape and torch.allclose(one[name], other[name], TOLERANCE, TOLERANCE)
        for name in one
    )
