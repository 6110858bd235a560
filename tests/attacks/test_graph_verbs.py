"""Tickets that load, whose networks would take much, or whose numbers overflow: every verb refuses them, or is quick.

Memory is measured by tracemalloc, which sees NumPy; what PyTorch takes is made from what is refused here.
"""

import dataclasses
import re
import tracemalloc

import numpy as np
import pytest
from helpers.graph_tickets import ticket_of

import slth
from slth import InputError, api
from slth.graph import Add, AxisMap, AxisMatrix, Dense, Graph, Linear, Node, Pointwise, Reshape
from slth.ticket import Inputs, encode

MIB = 1 << 20
FC = Linear("fc", Dense(1, 1), False)


def up(length):
    return AxisMap((AxisMatrix(0, "nearest", length=length),))


def ending(value):
    mean = AxisMap((AxisMatrix(0, "mean", length=1),))
    return [Node("mean", mean, (value,)), Node("flat", Reshape((1,)), ("mean",)), Node("fc", FC, ("flat",))]


def two(x, op):
    """An op, then the map."""
    return [Node("a", op, (x,) * (len(op.coefficients) if isinstance(op, Add) else 1)), Node("fc", FC, ("a",))]


TANH = [Node(f"{i}", Pointwise("Tanh"), (f"{i - 1}" if i else "input",)) for i in range(200)]
FILES = {
    "a value of 2^28 entries": ([Node("u", up(2**28), ("input",)), *ending("u")], "on its way through this network"),
    "a matrix of 2^28 entries": (
        [Node("u", up(2**14), ("input",)), Node("v", up(2**14), ("u",)), *ending("v")],
        "on its way through this network",
    ),
    "a sum that overflows": (two("input", Add((1e308, 1e308))), "a: 1e.308 overflows float32"),
    "a parameter that overflows": (two("input", Pointwise("Selu", alpha=1.0, gamma=1e300)), "overflows float32"),
    "a parameter that is almost 0": (two("input", Pointwise("Celu", alpha=5e-324)), None),
    "200 nodes": ([*TANH, *ending("199")], None),
}


def written(folder, nodes, **changes):
    ticket = ticket_of(Graph(tuple(nodes)), Inputs((1,), lower=(-1.0,), upper=(1.0,)), {}, misses=False)[0]
    path = folder / "t.slth"
    path.write_bytes(encode(dataclasses.replace(ticket, **changes)))
    return path


def spent(verb) -> str | None:
    """What a verb says in refusing; it takes little memory either way."""
    tracemalloc.start()
    try:
        verb()
    except InputError as error:
        return str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64 * MIB
    return None


@pytest.mark.parametrize("name", FILES)
def test_every_verb_refuses_it_or_is_quick(name, tmp_path):
    nodes, said = FILES[name]
    path = written(tmp_path, nodes)
    x = np.ones((3, 1), np.float32)
    for verb in (
        lambda: slth.load(path),
        lambda: str(api.show(path)),
        lambda: str(api.show(path, weight=(0, 0, 0))),
        lambda: slth.verify(path),
        lambda: api.report(path, tmp_path / "r.html"),
    ):
        assert spent(verb) is None
    torch = pytest.importorskip("torch")
    for verb in (
        lambda: slth.realised(path)(torch.ones(3, 1)),
        lambda: slth.source(path)(torch.ones(3, 1)),
        lambda: slth.evaluate(path, (x, np.zeros(3, np.int64))),
    ):
        sentence = spent(verb)
        assert (sentence is None) == (said is None), sentence
        assert said is None or re.search(said, sentence)


def test_outputs_that_are_no_numbers_have_no_accuracy(tmp_path):
    """∞ − ∞ in float32, where float64 would go on."""
    pytest.importorskip("torch")
    a, b = Node("a", Add((3e38, 3e38)), ("input", "input")), Node("b", Add((1.0, -1.0)), ("a", "a"))
    path = written(tmp_path, [a, b, Node("fc", FC, ("b",))])
    with pytest.raises(InputError, match="not numbers"):
        slth.evaluate(path, (np.ones((3, 1), np.float32), np.zeros(3, np.int64)))


def test_large_values_are_evaluated_in_small_batches():
    """A batch and its values take about 2²⁷ numbers at most; small networks are evaluated as ever."""
    pytest.importorskip("torch")
    from slth.network import outputs, realised

    sizes = []
    for length in (1, 2**14):
        graph = Graph((Node("u", up(length), ("input",)), *ending("u")))
        network = realised(ticket_of(graph, Inputs((1,)), {}, misses=False)[0])
        network.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
        outputs(network, np.ones((2001, 1), np.float32), batch=2000)
    assert sizes[:2] == [2000, 1]
    assert 500 < sizes[2] < 1500


def test_a_ticket_without_claims_has_nothing_to_report(tmp_path):
    path = written(tmp_path, [Node("fc", FC, ("input",))], claims=None)
    with pytest.raises(InputError, match="claims nothing about a target"):
        api.report(path, tmp_path / "r.html")
