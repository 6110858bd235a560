"""Target minus ticket as one network, and the property whose unsat is the claimed bound."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest
import torch
from helpers.graph_tickets import ticket_of
from helpers.tickets import any_ticket
from references.vnnlib import read
from torch import nn

import slth
from slth.api import _export
from slth.certificate import certify
from slth.graph import Box, Conv, Graph, Linear, Node, Pointwise, evaluate
from slth.network import build_architecture, read_target
from slth.network.writing import property_text
from slth.ticket import Inputs

onnx = pytest.importorskip("onnx", reason="needs the extra `onnx`")
pytest.importorskip("onnxscript", reason="needs the extra `onnx`")
pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
from helpers.onnx_files import run, uniform  # noqa: E402


def in_float64(target, ticket, x):
    """f − f̂ as `slth.graph` evaluates both."""
    parts = {path: ticket.realised(path) for path in ticket.maps}
    ours = evaluate(ticket.network, parts, x, ticket.carried)
    return evaluate(target.graph, target.coefficients, x, target.carried) - ours


def check_property(path, box, bound, outputs):
    """Exactly the box and the bound: every number is the float64 itself; each output on both sides."""
    found = read(path.read_text())
    lower, upper = (np.broadcast_to(end, box.shape).ravel().tolist() for end in (box.lower, box.upper))
    assert found.lower == [Fraction(x) for x in lower]
    assert found.upper == [Fraction(x) for x in upper]
    assert found.outputs == outputs
    sides = [[(sign, f"Y_{j}", Fraction(end))] for j in range(outputs) for sign, end in ((">=", bound), ("<=", -bound))]
    assert found.alternatives == sides


def test_of_lenet_5_it_is_f_minus_the_ticket(tmp_path):
    """To rounding of the two outputs; it stays below the bound, and is no rounding itself."""
    model = build_architecture("lenet_5", {"inputs": [1, 28, 28], "classes": 10}).eval()
    ticket = slth.construct(model, input_shape=(1, 28, 28), input_range=(0, 1), tolerance=0.01, threads=1)
    out = tmp_path / "d.onnx"
    found = slth.export(ticket, out, difference=True, target=model)
    x = uniform(ticket.inputs.box, 8)
    y, exact = run(out, x), in_float64(read_target(model, input_shape=(1, 28, 28)), ticket, x.astype(np.float64))
    with torch.no_grad():
        largest = float(model(torch.from_numpy(x)).abs().max())
    assert y.shape == exact.shape == (8, 10)
    assert np.abs(y - exact).max() <= 2.0**-16 * largest
    assert 2.0**-10 * largest < np.abs(exact).max() <= ticket.claims.sup_error
    assert found.question == tmp_path / "d.vnnlib"
    check_property(found.question, ticket.inputs.box, ticket.claims.sup_error, 10)
    assert {"target.0.weight", "ticket.0.positive", "target.11.weight", "ticket.11.positive"} <= set(found)
    text = found.question.read_text()
    assert hashlib.sha256(out.read_bytes()).hexdigest() in text
    assert "d.onnx" in text
    assert "1 x 28 x 28" in text
    said = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
    assert said["slth.difference"] == "target - ticket"


def images(count):
    """A ticket of two convolutions whose output is an image; as many ends as asked for."""
    one = (1, 1)
    nodes = (
        Node("c", Linear("c", Conv(2, 3, (3, 3), one, (1,) * 4, one), True), ("input",)),
        Node("relu", Pointwise("Relu"), ("c",)),
        Node("out", Linear("out", Conv(3, 2, (1, 1), one, (0,) * 4, one), False), ("relu",)),
    )
    rng = np.random.default_rng(count)
    lower, upper = (tuple(ends) for ends in (rng.uniform(-1, 0, count), rng.uniform(0, 1, count)))
    return ticket_of(Graph(nodes), Inputs((2, 3, 4), lower=lower, upper=upper), {}, misses=False)


@pytest.mark.parametrize("count", [2, *(pytest.param(count, marks=pytest.mark.slow) for count in (1, 24))])
def test_a_range_per_channel_or_per_entry_is_written_entry_by_entry(count, tmp_path):
    """In C order, as are the outputs of an image."""
    ticket, target = images(count)
    found = slth.export(ticket, tmp_path / "d.onnx", difference=True, target=target, view="source")
    check_property(found.question, ticket.inputs.box, ticket.claims.sup_error, 24)
    x = uniform(ticket.inputs.box, 4)
    exact = in_float64(target, ticket, x.astype(np.float64))
    assert np.abs(run(tmp_path / "d.onnx", x) - exact).max() <= 2.0**-14 * np.abs(exact).max()
    text = found.question.read_text()
    assert "its input, 2 x 3 x 4; Y_j: entry j of its output, 2 x 3 x 4; without batch, in C order." in text


def test_version_2_is_read_by_a_package_of_others():
    """Ends and sides as float64, by name of the entry: X[0, c, h, w]."""
    vnnlib = pytest.importorskip("vnnlib", reason="a reader of VNN-LIB 2")
    rng = np.random.default_rng(0)
    lower, upper = rng.uniform(-1, 0, (2, 3, 4)), rng.uniform(0, 1, (2, 1, 1))
    text = property_text(Box(lower, upper, (2, 3, 4)), (2, 2), 1 / 3, version=2, comments=["(not read)"])
    query = vnnlib.parse_query_string(text)
    (network,) = query.networks
    assert [(part.name, list(part.shape)) for part in (*network.inputs, *network.outputs)] == [
        ("X", [1, 2, 3, 4]),
        ("Y", [1, 2, 2]),
    ]
    *ends, either = (assertion.expr for assertion in query.assertions)
    kinds = {"LessEqual": np.broadcast_to(upper, lower.shape), "GreaterEqual": lower}
    found = {(type(end).__name__, tuple(end.lhs.indices)): float(end.rhs.lexeme) for end in ends}
    assert found == {(kind, (0, *at)): end[at] for kind, end in kinds.items() for at in np.ndindex(2, 3, 4)}
    sides = [(type(part).__name__, tuple(part.lhs.indices), Fraction(part.rhs.lexeme)) for part in either.args]
    third = Fraction(1 / 3)
    assert sides == [
        (kind, (0, *at), sign * third)
        for at in np.ndindex(2, 2)
        for kind, sign in (("GreaterEqual", 1), ("LessEqual", -1))
    ]


def test_a_property_is_exact_and_refused_numbers_are_none_of_it():
    """Ends that are no short decimals, no round ones, tiny and large ones; 0 has no sign."""
    lower, upper = np.array([0.1, -0.0, -1e-320, -1e300]), np.array([0.1 + 0.2, 0.0, 5e-324, 1e300])
    found = read(property_text(Box(lower, upper), (1,), 1 / 3, comments=["(assert (<= X_0 0.0))"]))
    assert found.lower == [Fraction(x) for x in lower.tolist()]
    assert found.upper == [Fraction(x) for x in upper.tolist()]
    assert found.alternatives == [[(">=", "Y_0", Fraction(1 / 3))], [("<=", "Y_0", -Fraction(1 / 3))]]


@pytest.mark.parametrize("broken", ["(assert (<= X_0 1e-3))", "(assert (<= Z_0 1.0))", "(declare-const X_0 Real)"])
def test_the_reader_of_properties_refuses(broken):
    with pytest.raises(AssertionError):
        read(property_text(Box.uniform(0.0, 1.0, 1), (1,), 1.0) + broken)


def test_an_interrupt_between_both_files_leaves_each_whole_or_as_it_was(monkeypatch, tmp_path):
    """And the property names its network by digest, so that another one beside it is found out."""
    ticket, target = any_ticket()
    out = tmp_path / "d.onnx"
    out.write_bytes(b"old")
    write = _export.write_atomically

    def once(path, data):
        monkeypatch.setattr(_export, "write_atomically", stopped)
        return write(path, data)

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_export, "write_atomically", once)
    with pytest.raises(KeyboardInterrupt):
        slth.export(ticket, out, difference=True, target=target)
    assert out.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.onnx", "d.vnnlib"]
    assert hashlib.sha256(b"old").hexdigest() not in (tmp_path / "d.vnnlib").read_text()


def test_the_bound_of_a_property_is_exceeded_where_the_claim_is_false(tmp_path):
    """The property of an honest certificate: the worst found on the box is below it; half of it is exceeded."""
    model = nn.Sequential(nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[0.5, -0.25]]))
    ticket = slth.construct(model, input_range=(-1, 1), candidates=5, tolerance=1e-9)
    target = read_target(model)
    bound = certify(target, ticket.realised, tolerances=ticket.claims.tolerances, box=ticket.inputs.box).sup_error
    assert bound == ticket.claims.sup_error
    found = slth.export(ticket, tmp_path / "d.onnx", difference=True, target=model)
    (side, _) = read(found.question.read_text()).alternatives
    x = np.array([[a, b] for a in (-1, 1) for b in (-1, 1)])
    worst = np.abs(run(tmp_path / "d.onnx", x)).max()
    assert bound / 2 < worst <= side[0][2] * (1 + Fraction(2) ** -20)
