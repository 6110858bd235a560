"""Doubling: the layers of a pruned random ±1 network hold the powers of two times their inputs, exactly."""

import numpy as np
import pytest

from slth import InputError
from slth.numerics import Stream, draw
from slth.ticket.gadgets import levels


def grown(slots, copies, digits, seed=0):
    """All layers, from a first one in which every second neuron serves."""
    served = 2 * np.arange(slots * copies).reshape(slots, copies)
    layers = [levels.first_layer(2 * slots * copies + 1, served)]
    streams = [Stream(seed, f"m/levels/{t}") for t in range(1, digits)]
    for stream in streams:
        layers.append(levels.grow(layers[-1], stream))
    return layers, streams


@pytest.mark.parametrize(("slots", "copies", "digits"), [(1, 2, 4), (3, 3, 5), (5, 10, 8), (2, 6, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_layers_hold_powers_of_two(slots, copies, digits, seed):
    """By matrices written out whole and a ReLU after each: who serves holds 2^k times its slot's value."""
    layers, streams = grown(slots, copies, digits, seed)
    values = np.random.default_rng(seed).integers(0, 1000, slots).astype(np.float64)
    hidden = np.zeros(layers[0].neurons)
    hidden[layers[0].neuron[0]] = values[:, None]
    for t, stream in enumerate(streams, 1):
        weights = levels.matrix(layers[t], layers[t - 1], stream)
        assert set(np.unique(weights)) <= {-1.0, 0.0, 1.0}
        whole = draw(stream, "sign", weights.shape)
        assert (weights[weights != 0] == whole[weights != 0]).all()
        assert np.count_nonzero(weights) == slots * copies * (t + 2)
        hidden = np.maximum(weights @ hidden, 0.0)
        assert layers[t].neuron.shape == (t + 1, slots, copies)
        wanted = 2.0 ** np.arange(t + 1)[:, None] * values
        assert (hidden[layers[t].neuron] == wanted[:, :, None]).all()
        dead = np.ones(layers[t].neurons, bool)
        dead[layers[t].neuron.reshape(-1)] = False
        assert not hidden[dead].any()


def test_the_scan_is_the_rule_written_out():
    """Neuron after neuron, need after need, against the vectorised scan."""
    (before, found), (stream,) = grown(3, 3, 2, seed=5)
    needs = [(level, slot) for level in range(2) for slot in range(3) for _ in range(3)]
    whole = draw(stream, "sign", (found.neurons, before.neurons))
    h, neuron, edges = 0, [], []
    while needs:
        level, slot = needs[0]
        fit = [int(source) for source in before.neuron[0, slot] if whole[h, source] > 0]
        if len(fit) >= 1 + level:
            neuron.append(h)
            edges.append([fit[0], fit[1] if level else -1])
            needs.pop(0)
        h += 1
    assert found.neurons == h
    assert found.neuron.reshape(-1).tolist() == neuron
    assert found.edges.reshape(-1, 2).tolist() == edges
    assert found.neurons > found.neuron.size  # some are dead


def test_parts_of_another_size_change_nothing(monkeypatch):
    whole, _ = grown(5, 3, 6)
    monkeypatch.setattr(levels, "_TRIED", 7)
    for layer, other in zip(whole, grown(5, 3, 6)[0], strict=True):
        assert (layer.neuron == other.neuron).all()
        assert (layer.edges == other.edges).all()


def test_one_copy_cannot_double():
    with pytest.raises(InputError, match="at least 2 copies"):
        grown(2, 1, 2)
