"""A search that takes its time says so, and sentences name the solver that is meant for many values."""

import logging

import numpy as np
import pytest

from slth import InputError
from slth.subsetsum import _vectors, closest, closest_vector, first


def test_a_heuristic_whose_time_nobody_chose_says_how_long_it_takes(caplog, monkeypatch):
    monkeypatch.setattr(_vectors, "SECONDS", 0.01)
    values = np.random.default_rng(0).uniform(-1, 1, (60, 3))
    with caplog.at_level(logging.WARNING):
        closest_vector(values, np.zeros(3) + 0.1, seconds=0.01)
        closest_vector(values[:12], np.zeros(3) + 0.1)
        assert not caplog.messages
        closest_vector(values, np.zeros(3) + 0.1)
    assert caplog.messages == ["60 vectors of 3 coordinates: a heuristic takes up to 0.01 s (seconds)"]


def test_too_many_values_are_sent_to_the_solver_for_many():
    for call in (lambda: closest(np.ones(41), 0.3), lambda: first(np.ones(65), 0.3, tol=0.1)):
        with pytest.raises(InputError, match=r"or use .*first_large"):
            call()
