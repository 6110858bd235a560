"""Work on threads: in the order of its items, and refused in a sentence where no thread starts."""

import threading

import pytest

from slth import InputError
from slth._threads import cores, in_order


@pytest.mark.parametrize("threads", [0, 1, 2, 3])
def test_results_come_in_the_order_of_the_items(threads):
    """The later an item, the sooner its thread is done: of a pair the first waits for the second."""
    second = threading.Event()

    def work(i):
        if threads > 1:
            assert i or second.wait(60)
            second.set()
        return i

    assert list(in_order(work, range(50), threads=threads)) == list(range(50))
    assert list(in_order(work, [], threads=threads)) == []


def test_what_fails_on_a_thread_fails_here():
    def work(i):
        raise InputError(f"item {i}")

    with pytest.raises(InputError, match="item 0"):
        list(in_order(work, [0], threads=2))


def test_a_system_that_starts_no_thread_is_said(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(InputError, match=r"starts no 3 threads here; give fewer with threads"):
        list(in_order(abs, [1, 2], threads=3))


def test_there_is_a_processor():
    assert cores() >= 1
