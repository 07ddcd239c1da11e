"""The buffer of records: ends at once when it is told to, whenever that is."""

from __future__ import annotations

import threading

import pytest

from hfreg.store.buffer import Buffer

SOON_S = 2.0  # a fifth of what a close waits for a thread that does not end


def test_closing_at_the_moment_the_writer_wakes_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer has looked whether it should stop, close tells it so, and only then it clears its wake-up."""
    about_to_clear, told = threading.Event(), threading.Event()

    class Waking(threading.Event):
        def clear(self) -> None:
            about_to_clear.set()
            told.wait(SOON_S)
            super().clear()

    written: list[int] = []
    buffer = Buffer[int](written.extend)
    monkeypatch.setattr(buffer, "_wake", Waking())
    stop = buffer._stop
    buffer.add(1)
    assert about_to_clear.wait(SOON_S)

    closing = threading.Thread(target=buffer.close, daemon=True)
    closing.start()
    assert stop.wait(SOON_S)
    told.set()
    closing.join(SOON_S)

    assert not closing.is_alive(), "close waits for a writer that never heard of it"
    assert written == [1]


def test_a_record_after_the_close_is_written_as_well() -> None:
    written: list[int] = []
    buffer = Buffer[int](written.extend)
    buffer.add(1)
    assert buffer.close()

    buffer.add(2)

    assert buffer.close()
    assert written == [1, 2]
