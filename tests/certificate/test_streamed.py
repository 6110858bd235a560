"""Maps that do not fit are asked for one at a time, and everything that is found stays the same to the last bit."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from slth.certificate import certify, per_input_error, predictions, proved_per_input
from slth.graph import INPUT, Add, Affine, Conv, Dense, Graph, Linear, Node, Pointwise, Realised, Reshape, Target, chain


def convolutional():
    """A sum with a map used twice and a negative half; the coefficients realised are a third off."""
    rng = np.random.default_rng(0)
    conv = Linear("conv", Conv(3, 3, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1), True)
    graph = Graph(
        (
            Node("a", conv, (INPUT,)),
            Node("b", Pointwise("Tanh"), ("a",)),
            Node("c", conv, ("b",)),
            Node("d", Add((1.0, 0.5)), ("b", "c")),
            Node("e", Reshape((75,)), ("d",)),
            Node("f", Linear("fc", Dense(75, 4), False), ("e",)),
        )
    )
    weight, matrix = rng.normal(size=(3, 3, 9)) / 5, rng.normal(size=(4, 75, 1)) / 9
    target = Target(graph, {"conv": Affine(weight, rng.normal(size=3)), "fc": Affine(matrix, None)}, (3, 5, 5))

    def near(array):
        return array * (1 + 0.3 * rng.uniform(-1, 1, array.shape))

    parts = {
        path: Realised(near(affine.weight), -near(affine.weight), affine.bias, np.ones(affine.weight.shape[1], bool))
        for path, affine in target.coefficients.items()
    }
    return target, parts, rng.uniform(-1, 1, (40, 3, 5, 5))


def proofs(target, parts, x):
    """All that is found, and how often each map was asked for."""
    asked = Counter()

    def realised(path):
        asked[path] += 1
        return parts[path]

    found = proved_per_input(target, realised, x)
    return found, per_input_error(target, parts.__getitem__, x), asked


@pytest.mark.parametrize("held", [1, 2**15, 2**30])
def test_the_same_is_found_however_little_is_kept(held, monkeypatch):
    """All kept, coefficients kept, nothing kept; inputs in one group or in many. A map is asked for in each group."""
    target, parts, x = convolutional()
    monkeypatch.setattr(predictions, "BLOCK", 7 * 75)
    whole, errors, asked = proofs(target, parts, x)
    assert 0 < whole.unchanged.sum() < len(x)
    assert asked == {"conv": 1, "fc": 1}
    monkeypatch.setattr(predictions, "HELD", held)
    for kept in (20 * target.graph.weights, 0):
        monkeypatch.setattr(predictions, "KEPT", kept)
        again, same, asked = proofs(target, parts, x)
        for field in ("unchanged", "logits", "rounding"):
            np.testing.assert_array_equal(getattr(again, field), getattr(whole, field))
        np.testing.assert_array_equal(same, errors)
        groups = 1 if held == 2**30 else asked["fc"] - 1
        assert asked == ({"conv": 1, "fc": 1} if kept else {"conv": 1 + 2 * groups, "fc": 1 + groups})
        assert kept or (held > 1 or groups == 6)  # blocks of 7 of 40 inputs


def test_memory_is_that_of_a_map_and_the_inputs(monkeypatch):
    """20 maps of 256 x 256, half a megabyte each: at no moment more than a dozen of their size. All: 60 and more."""
    rng = np.random.default_rng(0)
    size = 256 * 256 * 8
    target = chain([Affine(rng.normal(size=(256, 256, 1)) / 16, None) for _ in range(20)])

    def realised(path):
        return Realised(target.coefficients[path].weight * (1 + 1e-6), None, None, np.zeros(256, np.bool_))

    x = rng.random((64, 256)).astype(np.float32)
    peaks = []
    for kept in (predictions.KEPT, 0):
        monkeypatch.setattr(predictions, "KEPT", kept)
        tracemalloc.start()
        proved_per_input(target, realised, x)
        peaks.append(tracemalloc.get_traced_memory()[1] / size)
        tracemalloc.stop()
    assert peaks[0] > 60
    assert peaks[1] < 12


def test_progress_counts_inputs_and_ends_at_all(monkeypatch):
    """It never falls; both networks count."""
    target, parts, x = convolutional()
    monkeypatch.setattr(predictions, "BLOCK", 7 * 75)
    for kept in (predictions.KEPT, 0):
        monkeypatch.setattr(predictions, "KEPT", kept)
        told: list[tuple[int, int]] = []
        proved_per_input(target, parts.__getitem__, x, progress=lambda *counts, told=told: told.append(counts))
        done = [count for count, _ in told]
        assert done == sorted(done)
        assert {total for _, total in told} == {40}
        assert (done[0] < 7, done[-1]) == (True, 40)


def test_norms_are_found_once(monkeypatch):
    """A certificate beside the proofs asks for the norms that those needed."""
    from slth.certificate import Norms

    target, parts, x = convolutional()
    norms = Norms()
    proved_per_input(target, parts.__getitem__, x, norms=norms)

    def never(*_):
        raise AssertionError

    monkeypatch.setattr(Conv, "norm", never)
    monkeypatch.setattr(Dense, "norm", never)
    found = certify(target, parts.__getitem__, tolerances=dict.fromkeys(parts, 0.1), box=None, norms=norms)
    assert set(found.maps) == set(parts)
