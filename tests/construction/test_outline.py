"""Networks known by their shape: as many parameters as published, nothing allocated, impossible shapes refused."""

import itertools
import tracemalloc

import numpy as np
import pytest

import slth
from slth import InputError
from slth.construction import Request, outline, plan_maps, plan_outline
from slth.graph import Affine, chain
from slth.ticket import Inputs


@pytest.mark.parametrize(
    ("name", "millions", "carried"),
    [("resnet-50", 25.53, 0), ("bert-base", 109.48, 23.87), ("bert-large", 335.14, 31.88), ("gpt-3", 174_604, 647.5)],
)
def test_named_networks_have_the_parameters_that_were_published(name, millions, carried):
    """He and others: 25.6 M, of which 53,120 of BatchNorm leave 26,560 biases; BERT 110 M and 340 M; GPT-3 175 B."""
    network = outline(name)
    assert abs((network.weights + network.carried) / 1e6 / millions - 1) < 1e-3
    assert abs(network.carried / 1e6 - carried) < 0.1
    if name == "resnet-50":
        assert network.weights == 25_557_032 - 53_120 + 26_560
        assert sum(part.times for part in network.maps) == 54
        assert network.cannot is None
    else:
        assert "not constructible yet" in network.cannot
        assert all(part.signed == ((0, part.op.basis.inputs),) for part in network.maps)


@pytest.mark.parametrize("shape", [(784, 500, 10), "resnet-50", "bert-large", "gpt-3", (10**6, 10**6, 10)])
def test_nothing_of_the_size_of_the_network_is_allocated(shape):
    """Under 2²⁶ bytes; the largest of them has 1.7 · 10¹¹ parameters."""
    slth.plan(shape=(3, 2))
    tracemalloc.start()
    slth.plan(shape=shape, relative_tolerance=2**-9)
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


def test_a_shape_is_planned_as_a_network_of_such_weights_is():
    """300-400-10, Gaussian weights: the same widths to one candidate, misses to a factor of two."""
    widths = (300, 400, 10)
    rng = np.random.default_rng(1)
    layers = [
        Affine(rng.normal(scale=np.sqrt(2 / i), size=(o, i, 1)), rng.normal(scale=np.sqrt(2 / i), size=o))
        for i, o in itertools.pairwise(widths)
    ]
    request = Request(relative_tolerance=2.0**-9)
    real = plan_maps(chain(layers), request, inputs=Inputs((300,), lower=(0.0,), upper=(1.0,)))
    assumed = plan_outline(outline(widths, lower=0.0), request)
    given = Request(relative_tolerance=2.0**-9, candidates=20)
    counted = plan_maps(chain(layers), given, inputs=Inputs((300,), lower=(0.0,), upper=(1.0,)))
    expected = plan_outline(outline(widths, lower=0.0), given)
    for one, other in zip(real, assumed, strict=True):
        assert one.gadget.signed_ranges == other.gadget.signed_ranges
        assert abs(one.gadget.candidates - other.gadget.candidates) <= 1
        assert one.op == other.op
    for one, other in zip(counted, expected, strict=True):
        assert 0.5 < one.width.expected_misses / other.width.expected_misses < 2


def test_equal_layers_in_a_row_are_grouped_and_the_first_reads_the_inputs():
    free, positive = outline((5, 5, 5, 5, 3)), outline((5, 5, 5, 5, 3), lower=0.0)
    assert [(part.op.map, part.times, part.signed) for part in free.maps] == [
        ("layers/0", 1, ((0, 5),)),
        ("layers/1", 2, ()),
        ("layers/3", 1, ()),
    ]
    assert [part.times for part in positive.maps] == [3, 1]
    assert free.weights == positive.weights == 3 * 30 + 18


def test_a_group_is_planned_as_so_many_maps():
    grouped = slth.plan(shape=(50,) * 5, relative_tolerance=2**-6, input_range=(0, 1))
    (part,) = grouped.maps
    assert part.times == 4
    assert grouped.weights == 4 * part.weights
    assert grouped.mask_bits == 4 * part.mask_bits
    assert grouped.source_parameters == 4 * part.source_parameters
    assert abs(grouped.expected_misses - 4 * part.expected_misses) < 1e-15
    assert grouped.expected_misses <= 0.01
    assert abs(grouped.seconds.construct - 4 * part.seconds) < 1e-9


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((), "2 to 1,000 widths"),
        ((784,), "2 to 1,000 widths"),
        ((3,) * 1001, "got 1,001"),
        ((0, 5), "from 1 to 1,000,000, got 0"),
        ((5, -5), "got -5"),
        ((5, 10**30), "got about 1e\\+30"),
        ((5, 10**400), "got about 1e\\+300"),
        ("resnet", "did you mean 'resnet-50'"),
        ("palm", "unknown network 'palm'; expected one of bert-base"),
    ],
)
def test_impossible_shapes_are_refused_in_one_sentence(shape, sentence):
    with pytest.raises(InputError, match=sentence):
        slth.plan(shape=shape)


def test_a_shape_and_a_network_exclude_each_other():
    weights = {"weight": np.ones((1, 2))}
    for given in (
        {"target": weights},
        {"model": "net.py:f"},
        {"input_shape": (3,)},
        {"example": np.zeros((1, 3))},
        {"data": "digits"},
        {"raw_range": (0, 1)},
        {"mean": 0.5, "std": 1.0},
        {"order": ("a",)},
        {"activation": "relu"},
    ):
        with pytest.raises(InputError, match="both describe the network; give one of them"):
            slth.plan(shape=(3, 2), **given)
    with pytest.raises(InputError, match="follows from its weights"):
        slth.plan(shape=(3, 2), epsilon=0.1)
    with pytest.raises(InputError, match="reads tokens"):
        slth.plan(shape="bert-base", input_range=(0, 1))
    with pytest.raises(InputError, match="a network is needed"):
        slth.plan()
