"""Layers by themselves: of a module whose graph cannot be read, coefficients are made and claimed, outputs are not."""

import copy
import json

import numpy as np
import pytest
import torch
from helpers.version2_files import changed, parts, sealed
from references import version2
from torch import nn

import slth
from slth import InputError
from slth.ticket import TicketError, decode, encode


class Branch(nn.Module):
    """What it computes depends on its data, which no graph says."""

    def __init__(self):
        super().__init__()
        self.input = nn.Linear(4, 6)  # a name that a graph has for something else
        self.conv = nn.Conv1d(2, 4, 3, groups=2)
        self.up = nn.ConvTranspose1d(4, 2, 3, stride=2)
        self.norm = nn.BatchNorm1d(6)
        self.out = nn.Linear(6, 2, bias=False)

    def forward(self, x):
        h = torch.relu(self.norm(self.input(x)))
        if h.sum() > 3:
            h = 2 * h
        return self.out(h)


class Conv1D(nn.Module):
    """GPT-2's: x W + b."""

    def __init__(self, outputs, inputs):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(inputs, outputs)), nn.Parameter(torch.zeros(outputs))


Conv1D.__module__ = "transformers.pytorch_utils"


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = Branch()
    model.norm.running_mean += 0.25
    return model.eval()


@pytest.fixture(scope="module")
def ticket(model):
    return slth.construct(model, layers_only=True, tolerance=1e-3)


def test_the_graph_of_such_a_module_is_not_read_and_the_sentence_says_what_to_do(model):
    with pytest.raises(InputError, match=r"control flow depends on the data.*layers_only=True"):
        slth.construct(model, input_shape=(4,))


def test_every_weight_is_close_and_everything_else_is_the_same(model, ticket):
    made = slth.apply(ticket, copy.deepcopy(model))
    own, state = model.state_dict(), made.state_dict()
    assert list(ticket.maps) == ["input", "conv", "up", "out"]
    assert set(ticket.carried) == {name for name in own if name.startswith("norm.")}
    assert ticket.carried_numbers == 25
    for name in own:
        error = float((own[name] - state[name]).abs().max())
        assert error <= 1e-3 * (1 + 2**-20), name
        assert (error > 0) == (name not in ticket.carried), name
    assert ticket.misses == 0


def test_a_file_holds_it_whole_and_a_second_reader_finds_the_same_weights(ticket):
    data = encode(ticket)
    again = decode(data)
    assert encode(again) == data
    assert (again.network, again.inputs, again.claims.sup_error) == (ticket.network, None, None)
    found = version2.read(data)
    for path in ticket.maps:
        part = ticket.realised(path)
        assert part.negative is None
        assert np.array_equal(found[path].positive, part.positive)


def test_the_checker_wants_the_model_or_its_state_dict(model, ticket, tmp_path):
    alone = slth.verify(ticket)
    assert (alone.holds, alone.complete) == (True, False)
    torch.save(model.state_dict(), tmp_path / "net.pt")
    for target in (model, model.state_dict(), tmp_path / "net.pt"):
        found = slth.verify(ticket, target=target)
        assert (found.holds, found.complete) == (True, True)
        assert "how the layers are joined is not known" in "".join(check.detail for check in found.checks)


@pytest.mark.parametrize("name", ["input.weight", "up.bias", "norm.running_mean"])
def test_another_number_anywhere_is_another_target(name, model, ticket):
    state = {key: value.clone() for key, value in model.state_dict().items()}
    state[name].view(-1)[0] += 0.125
    found = slth.verify(ticket, target=state)
    failed = {check.name: check.detail for check in found.checks if check.verdict.name == "FAILS"}
    assert set(failed) == {"target", "claims"}
    assert (name if name.startswith("norm") else name.rpartition(".")[0]) in failed["claims"]


def test_a_state_dict_of_the_models_names_is_exported_and_loads(model, ticket, tmp_path):
    from safetensors.torch import load_file

    slth.export(ticket, tmp_path / "net.safetensors")
    other = Branch()
    other.load_state_dict(load_file(tmp_path / "net.safetensors"))
    applied = slth.apply(ticket, copy.deepcopy(model)).state_dict()
    assert all(torch.equal(value, applied[name]) for name, value in other.state_dict().items())


def test_it_is_evaluated_in_the_model(model, ticket):
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    y = model(torch.from_numpy(x)).argmax(1).numpy()
    found = slth.evaluate(ticket, (x, y), model=model)
    assert found.accuracy.value > 0.9
    with pytest.raises(InputError, match=r"slth\.apply\(ticket, model\)"):
        slth.evaluate(ticket, (x, y))


class Reader(nn.Module):
    """Looks tokens up."""

    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(5, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.table(x).mean(1))


def test_a_model_that_looks_tokens_up_is_given_tokens():
    """Data come as float32, which no table takes; what a model raises is one sentence."""
    torch.manual_seed(0)
    model = Reader()
    ticket = slth.construct(model, layers_only=True, tolerance=1e-3)
    x = np.random.default_rng(0).integers(0, 5, (30, 6))
    y = model(torch.from_numpy(x)).argmax(1).numpy()
    for given in (x, x.astype(np.float32)):
        assert slth.evaluate(ticket, (given, y), model=model).accuracy.value > 0.9
    late = x.copy()
    late[20, 3] = 5
    for wrong, said in (
        (x + 0.5, r"cannot run on numbers of shape \(6,\)"),
        (x + 5, r"cannot run on tokens from 5 to 9 of shape \(6,\)"),
        (late, r"cannot run on tokens from 0 to 5"),
    ):
        with pytest.raises(InputError, match=said):
            slth.evaluate(ticket, (wrong, y), model=model)


def test_it_is_planned_and_compared(model, ticket):
    assert slth.plan(model, layers_only=True, tolerance=1e-3).weights == ticket.target_parameters
    assert any(row.kind == "ticket" for row in slth.compare(ticket, target=model).rows)


@pytest.mark.parametrize("view", [slth.realised, slth.source, lambda t: slth.export(t, "net.onnx")])
def test_no_view_of_a_network_is_made_up(view, ticket):
    with pytest.raises(InputError, match=r"slth\.apply\(ticket, model\)"):
        view(ticket)


@pytest.mark.parametrize(("gadget", "tolerance"), [("plain", 1e-3), ("single-plain", 0.05)])
def test_gadgets_that_give_one_weight_will_do(gadget, tolerance, model):
    ticket = slth.construct(model, layers_only=True, gadget=gadget, tolerance=tolerance)
    assert slth.verify(decode(encode(ticket)), target=model).complete
    made = slth.apply(ticket, copy.deepcopy(model))
    assert float((made.out.weight - model.out.weight).detach().abs().max()) <= tolerance * (1 + 2**-20)


def test_a_layer_that_stores_its_weight_the_other_way_round():
    torch.manual_seed(0)
    model = nn.ModuleDict({"fc": Conv1D(3, 5), "same": Conv1D(4, 4)})
    ticket = slth.construct(model, layers_only=True, tolerance=1e-2)
    assert ticket.network.transposed == ("fc", "same")
    made = slth.apply(decode(encode(ticket)), copy.deepcopy(model))
    for path in model:
        assert float((made[path].weight - model[path].weight).detach().abs().max()) <= 1e-2 * (1 + 2**-20)
    assert slth.verify(ticket, target=model).complete


def tied():
    model = nn.ModuleDict({"table": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    model["head"].weight = model["table"].weight
    return model


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: nn.ReLU(), "ReLU has no Linear or convolutional layer"),
        (lambda: nn.GRU(3, 4), "GRU has no Linear or convolutional layer"),
        (lambda: nn.Linear(3, 2).half(), r"weight is float16; .*model\.float\(\)"),
        (lambda: nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2).double()), r"1\.weight is float64"),
        (lambda: nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2).bfloat16()), r"1\.weight is bfloat16"),
        (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)), "weight is computed from other tensors"),
        (tied, r"table\.weight and head\.weight are one shared parameter"),
        (lambda: nn.LazyLinear(3), "does not know its shape yet"),
        (lambda: {"weight": np.ones((2, 2))}, "takes the layers of a module"),
    ],
)
def test_what_cannot_be_is_one_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence):
        slth.construct(make(), layers_only=True)


@pytest.mark.parametrize(
    "how",
    [{"input_range": (0, 1)}, {"epsilon": 0.1}, {"exact": True}, {"input_shape": (4,)}, {"lift": "relu"},
     {"gadget": "copies"}, {"gadget": "grid"}, {"calibration": np.zeros((3, 4))}],
)  # fmt: skip
def test_what_speaks_of_inputs_outputs_or_two_halves_is_refused(how, model):
    with pytest.raises(InputError, match=r"of a layer by itself|a layer by itself"):
        slth.construct(model, layers_only=True, **how)


def with_member(data, path, value):
    meta, entries, body = parts(data)
    return sealed(changed(meta, path, value), entries, body)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("inputs",), {"shape": [4], "mean": None, "std": None, "lower": None, "upper": None}),
        (("network", "transposed"), ["conv"]),
        (("network", "transposed"), ["elsewhere"]),
        (("network", "maps", 0, "map"), "conv"),
        (("network", "maps", 0, "bias"), False),
        (("network", "maps"), []),
        (("provenance", "names"), {}),
        (("provenance", "names", "out", 0), "norm.weight"),
        (("provenance", "names", "out", 1), "out.bias"),
        (("gadgets", "out", "signed"), []),
        (("gadgets", "out", "lift"), "relu"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(path, value, ticket):
    with pytest.raises(TicketError):
        decode(with_member(encode(ticket), path, value))


def test_a_claim_about_outputs_is_refused(ticket):
    maps = {path: {"sup_error": 1.0, "l2_error": 1.0} for path in ticket.maps}
    bound = {"maps": maps, "sup_error": 1.0, "l2_error": 1.0, "output_error": [1.0], "stops": []}
    with pytest.raises(TicketError, match="`coefficients` alone"):
        decode(with_member(encode(ticket), ("claims", "bound"), bound))


def test_a_page_says_why_nothing_is_claimed_of_outputs(ticket, tmp_path):
    slth.save(ticket, tmp_path / "net.slth")
    slth.report(tmp_path / "net.slth", out=tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "how the layers are joined is not known" in text
    assert "--layers-only" in text


def test_its_record_and_its_metadata_are_plain(ticket):
    meta, _ = version2.split(encode(ticket))
    assert meta["network"]["kind"] == "layers"
    assert json.dumps(meta["network"]["maps"][1]["basis"]["kind"]) == '"Conv"'
