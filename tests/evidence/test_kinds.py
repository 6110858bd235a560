"""Evaluations of every kind, of constructed and learned tickets: counts agree with brute force, bounds hold."""

import json
import re

import numpy as np
import pytest
import torch
from helpers.learned import mlp_ticket, ticket_with
from torch import nn

import slth
from slth import InputError
from slth.certificate import Largest, Sign, Statistical
from slth.cli.app import run
from slth.records import read_evaluation
from slth.ticket import RandomTensor

RNG = np.random.default_rng(5)
X = RNG.uniform(-1, 1, (400, 6)).astype(np.float32)
IMAGES = RNG.random((20, 2, 5, 6)).astype(np.float32)


def network(kind):
    torch.manual_seed(1)
    one = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 1))
    found = {
        "sign": one,
        "sigmoid": nn.Sequential(one, nn.Sigmoid(), nn.Unflatten(1, (1, 1))),
        "hard": nn.Sequential(one, nn.Hardsigmoid()),
        "numbers": nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 3)),
        "pixels": nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1)),
        "pixel": nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1), nn.Sigmoid()),
    }[kind].eval()
    if "pixel" in kind:  # outputs around 0, so that all classes occur
        with torch.no_grad():
            found[2].bias -= found[:3](torch.from_numpy(IMAGES)).mean((0, 2, 3))
    return found


@pytest.fixture(scope="module")
def made():
    """Coarse tickets, so that predictions change, each beside its network."""
    found = {}

    def make(kind):
        if kind not in found:
            model = network(kind)
            shape, ends = ((2, 5, 6), (0, 1)) if "pixel" in kind else ((6,), (-1, 1))
            found[kind] = (
                slth.construct(model, input_shape=shape, input_range=ends, tolerance=0.03, threads=1),
                model,
            )
        return found[kind]

    return make


def both(ticket, model, x):
    """Outputs of the ticket and of its target, as float32 computes them."""
    with torch.no_grad():
        return slth.realised(ticket)(torch.from_numpy(x)).numpy(), model(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize(
    ("kind", "threshold", "words"),
    [
        ("sign", 0.0, "the sign of the output: class 1 above 0"),
        ("sigmoid", 0.5, "the output: class 1 above 0.5, as the network ends in a sigmoid"),
        ("hard", 0.5, "the output: class 1 above 0.5, as the network ends in a sigmoid"),
    ],
)
def test_one_output_is_evaluated_by_its_sign(made, kind, threshold, words):
    ticket, model = made(kind)
    ours, theirs = (z.ravel() > threshold for z in both(ticket, model, X))
    assert 20 < theirs.sum() < 380
    labels = theirs ^ (np.arange(400) % 10 == 0)
    found = slth.evaluate(ticket, (X, labels.astype(int)), target=model)
    assert (found.decision, found.positions, found.inputs, found.evaluated_by) == (Sign(threshold), 1, 400, words)
    assert (found.accuracy.hits, found.accuracy.count) == ((ours == labels).sum(), 400)
    assert (found.target_accuracy.hits, found.target_accuracy.count) == (360, 400)
    assert found.changed == (ours != theirs).sum() > 0
    assert found.statistical == Statistical.from_counts("arrays", changed=found.changed, examples=400)
    assert found.measured_error <= found.certified_error
    assert 0 < found.unchanged_on_box.hits < found.unchanged_per_input.hits <= 400 - found.changed
    assert found.errors is found.target_errors is found.rms_on_box is found.rms_per_input is None
    for y in (labels, 2 * labels.astype(int) - 1, labels[:, None].astype(np.uint8)):
        assert slth.evaluate(ticket, (X, y), target=model) == found
    alone = slth.evaluate(ticket, (X, labels))
    assert (alone.accuracy, alone.changed, alone.decision) == (found.accuracy, None, found.decision)
    kept = slth.with_claim(slth.construct(model, input_shape=(6,), input_range=(-1, 1), tolerance=0.03), found)
    assert kept.claims.statistical == (found.statistical,)


def test_numbers_are_evaluated_by_their_error(made):
    """And the error of the ticket exceeds that of its target by no more than is proved, on this data and elsewhere."""
    ticket, model = made("numbers")
    ours, theirs = both(ticket, model, X)
    y = theirs + 0.3 * RNG.normal(size=theirs.shape)
    found = slth.evaluate(ticket, (X, y), target=model)
    assert found.evaluated_by == "the error of its outputs"
    assert found.decision is found.accuracy is found.changed is found.statistical is found.unchanged_on_box is None
    for part, f in ((found.errors, ours), (found.target_errors, theirs)):
        assert part.rms == pytest.approx(np.sqrt(np.square(f - y).mean()), rel=1e-9)
        assert part.largest == pytest.approx(np.abs(f - y).max(), rel=1e-9)
        assert part.explained == pytest.approx(1 - np.square(f - y).sum() / np.square(y - y.mean(0)).sum(), rel=1e-9)
    apart = np.sqrt(np.square(ours.astype(float) - theirs).mean())
    assert apart <= found.rms_per_input + 1e-6
    assert found.rms_per_input == pytest.approx(apart, rel=1e-4)
    assert found.rms_per_input < found.rms_on_box <= found.certified_error
    for truth in (y, theirs, ours, ours + 7, np.zeros_like(y)):
        found = slth.evaluate(ticket, (X, truth.astype(float)), target=model)
        assert found.errors.rms <= found.target_errors.rms + found.rms_per_input + 1e-6
        assert found.errors.largest <= found.target_errors.largest + found.certified_error + 1e-6
    with pytest.raises(InputError, match="says nothing of changed predictions"):
        slth.with_claim(ticket, found)


def test_labels_of_positions_are_held_against_the_outputs_there(made):
    """Each pixel a prediction; they are no independent draws, so nothing is said of a population."""
    for kind, decision in (("pixels", Largest(1)), ("pixel", Sign(0.5))):
        ticket, model = made(kind)
        ours, theirs = (decision.classes(z) for z in both(ticket, model, IMAGES))
        labels = (theirs + (RNG.random(theirs.shape) < 0.2)) % 2
        y = labels if kind == "pixels" else labels[:, 0]
        found = slth.evaluate(ticket, (IMAGES, y), target=model)
        assert (found.decision, found.inputs, found.positions) == (decision, 20, 30)
        assert (found.accuracy.hits, found.accuracy.count) == ((ours == labels).sum(), 600)
        assert found.changed == (ours != theirs).sum() > 0
        assert found.unchanged_on_box.hits < found.unchanged_per_input.hits <= 600 - found.changed
        assert found.statistical is None
        assert found.as_data()["accuracy"]["interval"] is None
        assert "30 predictions for each input" in found.evaluated_by
        rows = dict(slth.api.data_rows(found))
        assert "[" not in rows["accuracy of the ticket"]
        assert rows["predictions changed"] == f"{found.changed} of 600"


@pytest.mark.parametrize("kind", ["sign", "numbers", "pixels"])
def test_without_y_the_two_networks_are_compared(made, kind):
    ticket, model = made(kind)
    x = IMAGES if kind == "pixels" else X
    ours, theirs = both(ticket, model, x)
    found = slth.evaluate(ticket, (x, None), target=model)
    assert found.accuracy is found.errors is found.target_accuracy is found.target_errors is None
    assert found.measured_error == pytest.approx(np.abs(ours - theirs).max(), rel=1e-4)
    if kind == "pixels":
        assert found.evaluated_by == "the distance of the two networks: the data has no y"
        assert 0 < found.rms_per_input < found.rms_on_box
        assert found.changed is None
    else:
        decision = Sign() if kind == "sign" else Largest()
        assert found.evaluated_by.endswith("; assumed, as the data has no y")
        assert (found.decision, found.changed) == (decision, (decision.classes(ours) != decision.classes(theirs)).sum())
        assert found.statistical.changed == found.changed
    with pytest.raises(InputError, match=r"no y, so there is nothing .* give y, or target=F"):
        slth.evaluate(ticket, (x, None))


def test_records_of_every_kind_are_read_as_they_were(made):
    labels, numbers = RNG.integers(0, 2, 400), RNG.normal(size=(400, 3))
    for kind, x, y in (
        ("sign", X, labels),
        ("sigmoid", X, None),
        ("numbers", X, numbers),
        ("numbers", X, labels),
        ("pixels", IMAGES, RNG.integers(0, 3, (20, 5, 6))),
        ("pixels", IMAGES, None),
        ("pixel", IMAGES, RNG.integers(0, 2, (20, 5, 6))),
    ):
        ticket, model = made(kind)
        for target in (model, None):
            if y is None and target is None:
                continue
            found = slth.evaluate(ticket, (x, y), target=target)
            assert read_evaluation(json.loads(json.dumps(found.as_data(), allow_nan=False))) == found
            assert all(name is not None and text for name, text in slth.api.evaluation_rows(found))


def test_a_record_made_before_there_were_kinds_is_one_of_the_largest_output(made):
    ticket, model = made("numbers")
    found = slth.evaluate(ticket, (X, RNG.integers(0, 3, 400)), target=model)
    new = ("decision", "evaluated_by", "inputs", "positions", "errors", "target_errors", "rms_on_box", "rms_per_input")
    outcome = {name: part for name, part in found.as_data().items() if name not in new}
    assert read_evaluation(outcome) == found
    with pytest.raises(InputError, match="states an accuracy"):
        read_evaluation(outcome | {"accuracy": None})


@pytest.mark.parametrize(
    "change",
    [
        {"decision": {"kind": "smallest"}},
        {"decision": {"kind": "sign"}},
        {"decision": {"kind": "largest", "axis": 0.5}},
        {"decision": 3},
        {"decision": None},
        {"inputs": None},
        {"positions": -1},
        {"errors": {"count": 3, "rms": -1.0, "deviation": 0.0, "largest": 0.0, "explained": None}},
        {"errors": {"count": 0, "rms": 1.0, "deviation": 0.0, "largest": 0.0, "explained": None}},
        {"errors": {"count": 3, "rms": 1.0, "deviation": 0.0, "largest": 0.0, "explained": "much"}},
        {"errors": [1.0]},
        {"rms_on_box": float("inf")},
    ],
)
def test_a_record_that_is_none_is_refused(made, change):
    ticket, _ = made("numbers")
    outcome = slth.evaluate(ticket, (X, np.zeros((400, 3)))).as_data()
    read_evaluation(outcome)
    with pytest.raises(InputError, match="of an evaluation must be"):
        read_evaluation(outcome | change)


def test_learned_tickets_are_evaluated_by_all_kinds():
    """Without a target; of a module of the user's the last step of an `nn.Sequential` tells the threshold."""
    ticket = mlp_ticket(inputs=(6,), classes=3)
    with torch.no_grad():
        z = slth.realised(ticket)(torch.from_numpy(X)).numpy()
    y = RNG.normal(size=z.shape)
    found = slth.evaluate(ticket, (X, y))
    assert found.errors.rms == pytest.approx(np.sqrt(np.square(z - y).mean()), rel=1e-9)
    assert slth.evaluate(ticket, (X, z.argmax(1))).accuracy.value == 1
    with pytest.raises(InputError, match="no y"):
        slth.evaluate(ticket, (X, None))

    class Squeezed(nn.Module):
        """One number for each input, not in an axis of its own."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1, 6))

        def forward(self, x):
            return (x @ self.weight.T)[:, 0]

    for path, model, threshold in (
        ("0.weight", nn.Sequential(nn.Linear(6, 1, bias=False)), 0.0),
        ("0.weight", nn.Sequential(nn.Linear(6, 1, bias=False), nn.Sequential(nn.Sigmoid())), 0.5),
        ("weight", Squeezed(), 0.0),
    ):
        ticket = ticket_with([RandomTensor(path, (1, 6), "normal", 0.125, 4)])
        labels = (X @ ticket.effective(path).T)[:, 0] > 0
        found = slth.evaluate(ticket, (X, labels), model=model)
        assert (found.accuracy.value, found.decision) == (1.0, Sign(threshold))


def test_networks_whose_outputs_do_not_fit_each_other_are_refused(made):
    ticket, model = made("sign")
    wide = nn.Sequential(model, nn.Unflatten(1, (1, 1)))
    with pytest.raises(InputError, match=r"gives outputs of shape \(400, 1, 1\), the ticket of \(400, 1\)"):
        slth.evaluate(ticket, (X, np.zeros(400, int)), target=wide)


def test_the_command_says_what_it_did(made, tmp_path, capsys):
    """`.npz` with labels, with numbers, without y; rows, JSON, a page."""
    for kind in ("sign", "numbers"):
        ticket, model = made(kind)
        slth.save(ticket, tmp_path / f"{kind}.slth")
        torch.save(model, tmp_path / f"{kind}.pt")
        names = tmp_path / f"{kind}.py"
        names.write_text(
            f"import torch\ndef net():\n    return torch.load({str(tmp_path / kind)!r} + '.pt', weights_only=False)\n"
        )
    arrays = {"labels": RNG.integers(0, 2, 400), "numbers": RNG.normal(size=(400, 3)), "whole": np.ones((400, 3))}
    for name, y in arrays.items():
        np.savez(tmp_path / f"{name}.npz", x=X, y=y)
    np.savez(tmp_path / "alone.npz", x=X)

    def evaluate(kind, data, *more, target=True):
        model = ["--model", f"{tmp_path / kind}.py:net"] if target else []
        code = run(["evaluate", f"{tmp_path / kind}.slth", "--data", f"{tmp_path / data}.npz", *model, *more])
        return code, *capsys.readouterr()

    code, out, _ = evaluate("sign", "labels")
    assert code == 0
    assert re.search(r"^evaluated by +the sign of the output: class 1 above 0$", out, re.MULTILINE)
    assert "with 99 % confidence" in out
    code, out, err = evaluate("numbers", "numbers")
    assert code == 0
    for text in ("the error of its outputs", "root mean square; largest", "R²", "error at most the target's +"):
        assert text in out
    assert "whole numbers" not in err
    assert "y.astype(int)" in evaluate("numbers", "whole")[2]
    outcome = json.loads(evaluate("numbers", "numbers", "--json")[1])["outcome"]
    assert outcome["decision"] == {"kind": "error"}
    assert outcome["errors"]["interval"][0] < outcome["errors"]["rms"] < outcome["errors"]["interval"][1]
    code, out, _ = evaluate("numbers", "alone")
    assert (code, "accuracy" in out, "the largest output; assumed, as the data has no y" in out) == (0, False, True)
    for kind, data, sentence in (
        ("numbers", "alone", "the data has no y"),
        ("sign", "numbers", "real numbers of shape (400, 3)"),
        ("numbers", "labels", None),
    ):
        code, out, err = evaluate(kind, data, target=False)
        assert (code, sentence is None or sentence in err) == (0 if sentence is None else 2, True)
    out = tmp_path / "claiming.slth"
    code, _, err = evaluate("numbers", "numbers", "--out", str(out))
    assert (code, "says nothing of changed predictions" in err, out.exists()) == (2, True, False)
    for kind, data in (("sign", "labels"), ("numbers", "numbers"), ("numbers", "alone")):
        page = tmp_path / "p.html"
        made_ = slth.report(tmp_path / f"{kind}.slth", page, target=network(kind), data=tmp_path / f"{data}.npz")
        assert not made_.refuted
        text = page.read_text()
        assert f"On {data}.npz, 400 inputs" in text
        assert ("Student" in text) == (data != "alone")  # without y there is no interval
        assert ("error beyond the target" in text) == (data == "numbers")
        assert ("root mean square error on numbers.npz" in text) == (data == "numbers")
