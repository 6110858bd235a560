"""Tickets as ONNX files: onnxruntime computes what PyTorch does, for any batch; what does not is never written."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from helpers.graph_tickets import graph_ticket, ticket_of
from helpers.learned import mlp_ticket, ticket_with
from helpers.tickets import any_ticket
from references.zoo import ZOO
from torch import nn

import slth
from slth import InputError
from slth.graph import (
    Add,
    AxisMap,
    AxisMatrix,
    Concat,
    Constant,
    Conv,
    ConvTranspose,
    Dense,
    Graph,
    Linear,
    MaxPool,
    Node,
    Pointwise,
    Reshape,
    Scale,
)
from slth.network import ARCHITECTURES, build_architecture, module_of
from slth.network.writing import networks, program, rounding, tools
from slth.ticket import Bound, Builtin, Inputs, RandomTensor

onnx = pytest.importorskip("onnx", reason="needs the extra `onnx`")
pytest.importorskip("onnxscript", reason="needs the extra `onnx`")
pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
from helpers.onnx_files import run, uniform  # noqa: E402

SAMPLE = ("lenet",)
NAMES = [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.slow) for name in ZOO]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "x.onnx"


def check_same(path, module, x, *, relative=2.0**-15):
    """To rounding of float32: the largest difference of any output over the largest output."""
    with torch.no_grad():
        expected = module(torch.from_numpy(x)).numpy()
    found = run(path, x)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= relative * np.abs(expected).max()


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_the_zoo_in_onnxruntime_is_its_module(name, out):
    """On other inputs, and another batch, than those of the check."""
    model, shape = ZOO[name]()
    ticket = slth.construct(model, input_shape=shape, input_range=(-1, 1), tolerance=0.01, threads=1)
    found = slth.export(ticket, out)
    assert found.difference <= found.allowed
    check_same(out, slth.realised(ticket), uniform(ticket.inputs.box, 5))


@pytest.mark.parametrize("view", [pytest.param("realised", marks=pytest.mark.slow), "source"])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 16))])
def test_a_random_network_in_either_view(seed, view, out):
    """Of every kind of op, with coin flips for masks."""
    ticket, _ = graph_ticket(seed)
    slth.export(ticket, out, view=view)
    x = np.random.default_rng(3).uniform(0, 1, (5, *ticket.inputs.shape)).astype(np.float32)
    if ticket.inputs.tokens is not None:
        x = np.floor(x * ticket.inputs.tokens).astype(np.int64)
    check_same(out, getattr(slth, view)(ticket), x, relative=2.0**-10)  # cancellation: gains are 2**-9 to 2**8


def corners():
    """What ONNX says otherwise, or not at all: unequal padding, wide padding of a pool, slopes, constants."""
    one = (1, 1)
    nodes = (
        Node("c", Linear("c", Conv(2, 4, (3, 2), (2, 1), (0, 2, 1, 3), one, 2), True), ("input",)),
        Node("prelu", Pointwise("PRelu", slope="slope", axis=0), ("c",)),
        Node("pool", MaxPool((3, 3), (1, 2), (2, 1, 0, 2), one), ("prelu",)),
        Node("t", Linear("t", ConvTranspose(4, 4, (3, 2), (2, 3), (1, 0, 0, 1), one, 2, (0, 1)), True), ("pool",)),
        Node("soft", Pointwise("Softplus"), ("t",)),
        Node("scale", Scale(0, "gain", "shift"), ("soft",)),
        Node("table", Constant("table"), ()),
        Node("add", Add((1.0, -0.5)), ("scale", "table")),
        Node("mean", AxisMap((AxisMatrix(1, "mean", length=1), AxisMatrix(2, "nearest", length=2))), ("add",)),
        Node("wide", MaxPool((2,), (2,), (0, 0), (1,)), ("mean",)),
        Node("both", Concat(1), ("wide", "wide")),
        Node("flat", Reshape((8,)), ("both",)),
        Node("out", Linear("out", Dense(8, 3), False), ("flat",)),
    )
    rng = np.random.default_rng(0)
    carried = {name: rng.normal(size=4) for name in ("slope", "gain", "shift")} | {"table": rng.normal(size=(4, 1, 1))}
    inputs = Inputs((2, 7, 6), lower=(-1.0,), upper=(1.0,))
    return ticket_of(Graph(nodes), inputs, carried, misses=False)[0]


def test_what_onnx_says_otherwise(out):
    ticket = corners()
    found = slth.export(ticket, out)
    check_same(out, slth.realised(ticket), uniform(ticket.inputs.box, 4))
    assert {"c.positive", "c.negative", "t.positive", "out.positive"} <= set(found)


@pytest.mark.parametrize("view", ["source", pytest.param("realised", marks=pytest.mark.slow)])
def test_a_linear_lift_is_written_without_a_relu(view, out):
    """Realised, one product for each map; the random network, two of them and nothing between."""
    nodes = (
        Node("a", Linear("a", Dense(4, 5), True), ("input",)),
        Node("t", Pointwise("Tanh"), ("a",)),
        Node("b", Linear("b", Dense(5, 3), False), ("t",)),
    )
    ticket = ticket_of(Graph(nodes), Inputs((4,), lower=(-1.0,), upper=(1.0,)), {}, misses=False, linear=True)[0]
    x = uniform(ticket.inputs.box, 6)
    found = slth.export(ticket, out, view=view)
    check_same(out, slth.realised(ticket) if view == "realised" else slth.source(ticket), x)
    assert not any("negative" in name for name in found)
    assert not {node.op_type for node in onnx.load(out).graph.node} & {"Relu", "Clip", "Max"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in ARCHITECTURES])
def test_a_learned_ticket_of_every_architecture(name, out):
    arguments = {"inputs": [3, 16, 16], "classes": 4, "width": 0.25}
    state = build_architecture(name, arguments).state_dict()
    tensors = [
        RandomTensor(key, tuple(value.shape), "normal", 0.125, value.numel() // 2)
        for key, value in state.items()
        if value.ndim > 1
    ]
    carried = {key: value.numpy() for key, value in state.items() if value.ndim <= 1}
    ticket = ticket_with(tensors, carried=carried, network=Builtin(name, arguments))  # says nothing of its inputs
    slth.export(ticket, out)
    check_same(out, module_of(ticket), np.random.default_rng(0).normal(size=(5, 3, 16, 16)).astype(np.float32))


@pytest.mark.slow
def test_a_learned_ticket_pruned_and_with_all_of_its_random_weights(out):
    """Under the names of its state."""
    ticket = mlp_ticket()
    x = np.random.default_rng(0).normal(size=(5, 1, 8, 8)).astype(np.float32)
    outputs = []
    for view in ("realised", "source"):
        found = slth.export(ticket, out, view=view)
        state = slth.export(ticket, out.with_suffix(".safetensors"), view=view)
        assert all(np.array_equal(found[name], values) for name, values in state.items())
        outputs.append(run(out, x))
    check_same(out.with_suffix(".onnx"), networks._view(ticket, "source"), x)
    assert np.abs(outputs[0] - outputs[1]).max() > 0.1


def test_the_file_is_opset_18_with_a_free_batch_and_names_the_ticket(out, capfd):
    """One input, one output; nothing of this machine is in it, and nothing is said on the way."""
    ticket, _ = any_ticket(seed=10**30)
    slth.export(ticket, out)
    assert capfd.readouterr() == ("", "")
    data = out.read_bytes()
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]
    ends = [*model.graph.input, *model.graph.output]
    sizes = [[d.dim_param or d.dim_value for d in end.type.tensor_type.shape.dim] for end in ends]
    assert dict(zip([end.name for end in ends], sizes, strict=True)) == {"input": ["batch", 3], "output": ["batch", 2]}
    for batch in (1, 2, 7):
        assert run(out, np.zeros((batch, 3))).shape == (batch, 2)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert (said["slth.seed"], said["slth.version"]) == (str(10**30), slth.__version__)
    assert said["slth.view"] == "realised"
    assert said["slth.ticket"].startswith("sha256:")
    assert "[-1, 1]" in said["slth.inputs"]
    for trace in (b"stack_trace", b'File "', b".py", b"/root", b"/home", b"site-packages"):
        assert trace not in data
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)


def test_the_same_ticket_gives_the_same_bytes_which_name_its_file(tmp_path, out):
    """Also when it is read from that file, and written under another name."""
    ticket, _ = any_ticket()
    path = slth.save(ticket, tmp_path / "t.slth")
    slth.export(ticket, out)
    slth.export(path, tmp_path / "y.onnx")
    assert out.read_bytes() == (tmp_path / "y.onnx").read_bytes()
    assert hashlib.sha256(path.read_bytes()).hexdigest().encode() in out.read_bytes()


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(tmp_path, out):
    slth.export(slth.save(corners(), tmp_path / "t.slth"), out)
    code = "import slth; slth.export('t.slth', 'y.onnx')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert out.read_bytes() == (tmp_path / "y.onnx").read_bytes()


def test_names_that_are_taken_stay_apart(out):
    """A map and an array of a stranger may be called as the input, as another value, or alike."""
    nodes = (
        Node("a", Linear("input", Dense(2, 2), True), ("input",)),
        Node("one", Constant("input.positive"), ()),
        Node("two", Constant("output"), ()),
        Node("three", Constant("add"), ()),
        Node("s", Add((1.0, 1.0, 1.0, 1.0)), ("a", "one", "two", "three")),
        Node("b", Linear("relu", Dense(2, 2), False), ("s",)),
    )
    rng = np.random.default_rng(0)
    carried = {name: rng.normal(size=2) for name in ("input.positive", "output", "add")}
    ticket, _ = ticket_of(Graph(nodes), Inputs((2,), lower=(0.0,), upper=(1.0,)), carried, misses=False)
    found = slth.export(ticket, out)
    assert {"input.positive", "relu.positive"} <= set(found)
    assert len(found) >= 6
    check_same(out, slth.realised(ticket), uniform(ticket.inputs.box, 4))


def test_an_interrupt_or_a_failing_check_leaves_what_was_there(monkeypatch, tmp_path, out):
    ticket, _ = any_ticket()
    out.write_bytes(b"old")

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(networks, "check_file", interrupted)
        with pytest.raises(KeyboardInterrupt):
            slth.export(ticket, out)

    whole = program.model_proto

    def other(*args, **options):
        """A file whose largest number is off by a thousandth."""
        proto = whole(*args, **options)
        values = onnx.numpy_helper.to_array(proto.graph.initializer[0]).copy()
        values.flat[np.abs(values).argmax()] *= 1.001
        proto.graph.initializer[0].raw_data = values.tobytes()
        return proto

    monkeypatch.setattr(networks, "model_proto", other)
    with pytest.raises(InputError, match=r"computes something else than the network in PyTorch: outputs differ by"):
        slth.export(ticket, out)

    def broken(*args, **options):
        proto = whole(*args, **options)
        proto.graph.node[0].op_type = "Nothing"
        return proto

    monkeypatch.setattr(networks, "model_proto", broken)
    with pytest.raises(InputError, match=r"wrote an ONNX file that onnx .* or onnxruntime .* refuses: .*Nothing"):
        slth.export(ticket, out)
    assert [path.name for path in tmp_path.iterdir()] == ["x.onnx"]
    assert out.read_bytes() == b"old"


def claiming(ticket, **changes):
    return replace(ticket, claims=replace(ticket.claims, **changes))


def test_what_cannot_be_written_is_one_sentence(monkeypatch, tmp_path, out):
    ticket, target = any_ticket()
    learned, bound = mlp_ticket(), mlp_ticket()
    object.__setattr__(bound, "network", Bound())
    anywhere = replace(ticket, inputs=Inputs((3,)))
    stopped = claiming(ticket, sup_error=None, l2_error=None, output_error=None, stops=("n3",))
    other = any_ticket(rng_seed=1)[1]
    wider = any_ticket((3, 5, 2))[1]
    beside = {"difference": True, "target": target}
    cases = [
        (
            lambda: slth.export(bound, out),
            r"no file can rebuild; make the model and load the ticket into it: slth\.apply",
        ),
        (lambda: slth.export(ticket, tmp_path / "x.bin"), r"'x\.bin': expected the suffix \.safetensors or \.onnx"),
        (lambda: slth.export(ticket, tmp_path / "no" / "x.onnx"), "the folder .* does not exist"),
        (lambda: slth.export(ticket, out, view="both"), "a view is realised or source, got 'both'"),
        (lambda: slth.export(ticket, out, difference=True), "give the target, too: target=F"),
        (lambda: slth.export(ticket, out, target=target), "a target is for the difference from it, difference=True"),
        (lambda: slth.export(ticket, tmp_path / "x.safetensors", **beside), "holds tensors; write a .onnx file"),
        (lambda: slth.export(learned, out, **beside), "a learned ticket stands for no target network"),
        (lambda: slth.export(anywhere, out, **beside), r"has no input range, .* construct it with one: input_range="),
        (
            lambda: slth.export(stopped, out, **beside),
            "claims stop at n3, through which",
        ),
        (lambda: slth.export(claiming(ticket, sup_error=0.0), out, **beside), "claims an error of 0"),
        (
            lambda: slth.export(ticket, out, difference=True, target=other),
            "not the target of the ticket: not the network the ticket was made for: its digest differs",
        ),
        (
            lambda: slth.export(ticket, out, difference=True, target=wider),
            r"the target of the ticket: map 0 of 2 differs: the target's is 3 -> 5 with a bias, the ticket's 3 -> 4",
        ),
    ]
    for call, sentence in cases:
        with pytest.raises(InputError, match=sentence) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("source", partial(networks.source, most_bytes=10), r"the source network needs .* GiB, more than the limit"),
        ("source", lambda _: WithoutTranslation(), r"PyTorch .* cannot write this network as ONNX: .*; update torch"),
        ("source", lambda _: nn.Sequential(nn.Linear(3, 2), Infinite()), r"gives infinity or NaN in float32"),
        ("check_size", partial(program.check_size, most=10), r"one such file holds at most 2 GiB; write \.safetensors"),
    ],
)
def test_a_network_that_no_file_holds_is_refused(name, value, sentence, monkeypatch, tmp_path, out):
    monkeypatch.setattr(networks, name, value)
    with pytest.raises(InputError, match=sentence) as caught:
        slth.export(any_ticket()[0], out, view="source")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


class WithoutTranslation(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Infinite(nn.Module):
    def forward(self, x):
        return x / (x - x)


def test_what_is_not_installed_is_said_before_any_work(monkeypatch, out):
    def broken(name):
        if name == "onnxscript":
            raise ImportError("libonnx.so")

    monkeypatch.setattr(tools, "import_module", broken)
    with pytest.raises(
        InputError, match=r"^writing an ONNX file needs onnxscript: pip install -c constraints.txt -e '\.\[onnx\]' in"
    ):
        slth.export(any_ticket()[0], out)


def test_rounding_allows_more_where_numbers_cancel():
    """x → 1000 x − 1000 x + x rounds by a thousand times as much as x; a largest output of 1 alone says nothing."""
    plain, cancelling = nn.Linear(3, 1, bias=False), nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        plain.weight.copy_(torch.tensor([[1.0, 0.0, 0.0]]))
        cancelling.weight.copy_(torch.tensor([[1.0, 1000.0, -1000.0]]))
        x = torch.tensor([[1.0, 1.0, 1.0], [0.5, 1.0, 1.0]])
    (y, little), (same, much) = (rounding._with_rounding(part, x) for part in (plain, cancelling))
    assert np.array_equal(y, same)
    one = 16 * 3**0.5 * 2.0**-24
    assert one <= little < 4 * one
    assert much > 64 * one
