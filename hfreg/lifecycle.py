"""Lifecycle: the states of a version and what may happen in each.

A pure table. It knows nothing of storage, users or roles; reviewing is open to everyone for now and
each act is recorded by the store. Archiving remembers where a version came from, so that it can be
brought back: that memory is the store's too.

    Draft ──Submit──▶ Pending Approval ──Accept──▶ Approved ──Archive──▶ Archived
      ▲ ▲                │  │  └─────────Reject───▶ Rejected ─Archive──▶    │
      │ └─Need Changes───┘  └Need Info, Comment: stays                      │
      └────────────────────────────────Unarchive (to where it was)──────────┘
"""

from __future__ import annotations

from enum import StrEnum

from hfreg.errors import LifecycleError


class State(StrEnum):
    """Where a version stands."""

    DRAFT = "Draft"
    PENDING = "Pending Approval"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    ARCHIVED = "Archived"


class Action(StrEnum):
    """What can be done to a version; the middle five are what a review says."""

    EDIT = "Edit"
    SUBMIT = "Submit"
    ACCEPT = "Accept"
    NEED_INFO = "Need Info"
    NEED_CHANGES = "Need Changes"
    REJECT = "Reject"
    COMMENT = "Comment"
    ARCHIVE = "Archive"


REVIEW_ACTIONS = (Action.ACCEPT, Action.NEED_INFO, Action.NEED_CHANGES, Action.REJECT, Action.COMMENT)
RUNNABLE = frozenset({State.DRAFT, State.PENDING, State.APPROVED})

TRANSITIONS: dict[tuple[State, Action], State] = {
    (State.DRAFT, Action.EDIT): State.DRAFT,
    (State.DRAFT, Action.SUBMIT): State.PENDING,
    (State.DRAFT, Action.COMMENT): State.DRAFT,
    (State.DRAFT, Action.ARCHIVE): State.ARCHIVED,
    (State.PENDING, Action.ACCEPT): State.APPROVED,
    (State.PENDING, Action.NEED_INFO): State.PENDING,
    (State.PENDING, Action.NEED_CHANGES): State.DRAFT,
    (State.PENDING, Action.REJECT): State.REJECTED,
    (State.PENDING, Action.COMMENT): State.PENDING,
    (State.APPROVED, Action.COMMENT): State.APPROVED,
    (State.APPROVED, Action.ARCHIVE): State.ARCHIVED,
    (State.REJECTED, Action.COMMENT): State.REJECTED,
    (State.REJECTED, Action.ARCHIVE): State.ARCHIVED,
}


def actions(state: State) -> list[Action]:
    """List what may be done in this state, in the order of the table."""
    return [action for (where, action) in TRANSITIONS if where is state]


def after(state: State, action: Action) -> State:
    """Return the state that an action leads to; raises LifecycleError naming what is possible."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        possible = ", ".join(actions(state)) or "nothing; unarchive it first"
        hint = " Clone it to make the next version." if action is Action.EDIT else ""
        raise LifecycleError(f"{action} is not possible in {state}. Possible: {possible}.{hint}") from None


def review_action(text: str) -> Action:
    """Read the name of a review action, case aside; raises LifecycleError listing the five."""
    for action in REVIEW_ACTIONS:
        if action.lower() == text.strip().lower():
            return action
    raise LifecycleError(f"{text!r} is no review action. Use one of: {', '.join(REVIEW_ACTIONS)}.")
