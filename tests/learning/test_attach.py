"""`attach` changes a model only if all of it succeeds; what cannot take masks is refused in one sentence."""

import copy
import io
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

import slth
from slth import InputError
from slth.learning import Biprop, EdgePopup, Magnitude, PerturbedEdgePopup, Policy, Supermask, attach
from slth.numerics import Stream


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def facts(model):
    """Everything of a model that a user can see, and which objects its parameters are."""
    return (
        {name: value.detach().clone().numpy().tobytes() for name, value in model.state_dict().items()},
        [(name, id(p), p.requires_grad) for name, p in model.named_parameters()],
        [(name, type(module), module.training) for name, module in model.named_modules()],
    )


@dataclass(frozen=True, slots=True)
class Failing:
    """Edge-popup until a point: the n-th mask, or `prepare`, which has replaced a module by then."""

    at: int | str
    density = 0.5
    policy = Policy()

    def mask(self, tensor):
        if tensor.path == "3.weight" and self.at == "mask":
            raise RuntimeError("no mask")
        mask = EdgePopup(0.5).mask(tensor)
        if tensor.path == "3.weight" and self.at == "put":
            mask.to = lambda device: object()  # what no parametrization can be
        return mask

    def prepare(self, masks):
        masks.replaced.append((masks.model, "2", masks.model[2]))
        masks.model[2] = nn.Tanh()
        if self.at == "stop":
            raise KeyboardInterrupt
        raise RuntimeError("not prepared")


@pytest.mark.parametrize("at", ["mask", "put", "prepare", "stop"])
def test_a_failure_half_way_leaves_the_model_as_it_was(at):
    model = network().train()
    model[3].bias.requires_grad_(False)
    before = facts(model)
    with pytest.raises(KeyboardInterrupt if at == "stop" else (RuntimeError, AttributeError)):
        attach(model, Failing(at))
    assert facts(model) == before
    assert not parametrize.is_parametrized(model[0])
    masks = attach(model, EdgePopup(0.5))  # nothing is in the way of another try
    masks.detach(restore=True)
    assert facts(model) == before


@pytest.mark.filterwarnings("ignore:Initializing zero-element", "ignore:`torch.jit.script")
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: {"a": nn.Linear(2, 2)}, r"expected a model, which is an nn\.Module, got \{'a': .* \(dict\)"),
        (lambda: "mlp", r"expected a model, which is an nn\.Module, got 'mlp' \(str\)"),
        (lambda: nn.Linear, r"expected a model, got the class Linear: make one, Linear\(\)"),
        (lambda: network().to("meta"), r"0\.weight holds no numbers: the model is on the meta device"),
        (lambda: nn.Sequential(nn.Linear(8, 0)), r"0\.weight has the shape \(0, 8\).*Policy\(skip=\('0',\)\)"),
        (lambda: nn.Sequential(nn.Linear(0, 8)), r"0\.weight has the shape \(8, 0\), without an entry"),
        (lambda: network().half(), r"0\.weight is torch\.float16.*model\.float\(\)"),
        (lambda: torch.jit.script(nn.Sequential(nn.Linear(2, 2))), r"the model is scripted"),
        (lambda: nn.Sequential(nn.Linear(2, 2), torch.jit.script(nn.ReLU())), r"1 is scripted"),
        (lambda: nn.Sequential(nn.DataParallel(nn.Linear(2, 2))), r"0 is wrapped by DataParallel, whose names"),
        (lambda: nn.Sequential(torch.compile(nn.Linear(2, 2))), r"0 is wrapped by OptimizedModule, whose names"),
    ],
)
def test_what_cannot_take_masks_is_refused_in_one_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence) as refusal:
        attach(make(), EdgePopup(0.5))
    assert len(str(refusal.value).splitlines()) == 1


def with_weight(weight, **options):
    model = network()
    model[3].weight = nn.Parameter(weight(model), **options)
    return model


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: with_weight(lambda _: torch.eye(3, 8).to_sparse()), r"3\.weight is stored as sparse_coo.*to_dense"),
        (lambda: with_weight(lambda _: torch.ones(1, 8).expand(3, 8)), r"3\.weight repeats its own numbers"),
        (lambda: with_weight(lambda m: m[0].weight.detach()[:3]), r"0\.weight and 3\.weight share storage"),
        (lambda: with_weight(lambda m: m[1].running_mean.expand(3, 8)[:1]), r"share storage"),
    ],
)
def test_weights_without_numbers_of_their_own_are_refused_and_left_alone(make, sentence):
    model = make()
    before = {name: value.to_dense().clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError, match=sentence):
        attach(model, EdgePopup(0.5))
    assert all(torch.equal(value.to_dense(), before[name]) for name, value in model.state_dict().items())


def test_parts_of_one_storage_that_do_not_meet_are_fine():
    """As cuDNN keeps the weights of a recurrent layer."""
    model, flat = network(), torch.randn(72)
    model[0].weight = nn.Parameter(flat[:48].view(8, 6))
    model[3].weight = nn.Parameter(flat[48:].view(3, 8))
    masks = attach(model, EdgePopup(0.5))
    assert all(torch.equal(tensor.original, tensor.values()) for tensor in masks)


def test_weights_made_in_inference_mode_are_refused():
    with torch.inference_mode():
        model = network()
    with pytest.raises(InputError, match=r"0\.weight was made in inference mode"):
        attach(model, EdgePopup(0.5))


@pytest.mark.parametrize("method", [EdgePopup, Biprop, Supermask, Magnitude, PerturbedEdgePopup])
def test_a_class_is_no_method_but_makes_one(method):
    sentence = rf"expected a method, got the class {method.__name__}: make one, {method.__name__}\(\)"
    model = network()
    before = facts(model)
    for call in (lambda: attach(model, method), lambda: slth.search(model, "digits", method)):
        with pytest.raises(InputError, match=sentence):
            call()
    assert facts(model) == before


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8, np.uint64])
def test_the_integers_of_numpy_are_integers(kind):
    ours, theirs = (attach(network(), EdgePopup(0.5), seed=seed) for seed in (3, kind(3)))
    assert type(theirs.seed) is int
    assert all(torch.equal(one.values(), two.values()) for one, two in zip(ours, theirs, strict=True))
    assert Stream(kind(3), "a") == Stream(3, "a")
    assert type(Stream(kind(3), "a").seed) is int


@pytest.mark.parametrize("seed", [True, np.bool_(True), 3.0, np.float64(3), "3", -1, np.int64(-1), None, 10**100])
def test_what_is_no_seed(seed):
    with pytest.raises(InputError, match="the seed must be a non-negative integer"):
        attach(network(), EdgePopup(0.5), seed=seed)


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile, lambda m: torch.compile(nn.DataParallel(m))])
def test_names_are_those_of_the_module_inside_a_wrapper(wrap):
    inside, alone = network(), network()
    masks, others = attach(wrap(inside), EdgePopup(0.5), seed=4), attach(alone, EdgePopup(0.5), seed=4)
    assert [tensor.path for tensor in masks] == ["0.weight", "3.weight"]
    assert masks.left_out == others.left_out
    x = torch.randn(4, 6)
    assert torch.equal(inside.eval()(x), alone.eval()(x))
    assert masks.detach() is inside


def test_a_ticket_of_a_wrapped_model_fits_the_plain_one_and_the_other_way_round():
    x = torch.randn(40, 6)
    data = ((x.numpy(), x.argmax(1).numpy() % 3), None)
    training = {"epochs": 1.0, "batch": 20}
    ticket = slth.search(nn.DataParallel(network()), data, "edge-popup", training=training).ticket
    assert [tensor.path for tensor in ticket.tensors] == ["0.weight", "3.weight"]
    plain, wrapped = slth.apply(ticket, network()), slth.apply(ticket, nn.DataParallel(network()))
    assert isinstance(wrapped, nn.DataParallel)
    assert torch.equal(plain.eval()(x), wrapped.module.eval()(x))


def test_masks_that_were_taken_off_can_be_printed_and_say_so():
    masks = attach(network(), EdgePopup(0.5))
    masks.detach()
    assert repr(masks) == "Masks(taken off; 2 tensors, 72 weights, seed 0)"
    for look in (lambda: masks.kept, lambda: masks.scores, lambda: masks.originals, lambda: masks.tensors[0].mask):
        with pytest.raises(InputError, match=r"0\.weight has no mask any more: it was taken off"):
            look()


def test_apply_to_parameters_that_share_storage_is_refused():
    source = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    data = ((np.eye(4, dtype=np.float32), np.arange(4)), None)
    ticket = slth.search(source, data, "edge-popup", training={"epochs": 1.0, "batch": 4}).ticket
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    model[1].weight = nn.Parameter(model[0].weight.detach())
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(InputError, match=r"0\.weight and 1\.weight share storage, so one would overwrite the other"):
        slth.apply(ticket, model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.filterwarnings("ignore")  # of the exporters
@pytest.mark.parametrize("dynamo", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["traced", "exported"])
@pytest.mark.parametrize("method", [EdgePopup(0.5), Biprop(0.5), Supermask(initial=0.1), Magnitude(0.5)], ids=repr)
def test_an_onnx_export_says_to_take_the_masks_off_and_works_then(method, dynamo):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    model, x = network().eval(), torch.randn(2, 6)
    masks = attach(model, method)
    with pytest.raises(Exception, match=r"written as ONNX without masks: masks\.detach\(\) leaves"):
        torch.onnx.export(model, (x,), io.BytesIO(), dynamo=dynamo)
    out = model(x)
    masks.detach()
    written = io.BytesIO()
    made = torch.onnx.export(model, (x,), None if dynamo else written, dynamo=dynamo)
    data = made.model_proto.SerializeToString() if dynamo else written.getvalue()
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = runtime.InferenceSession(data, options)
    (there,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    assert np.allclose(there, out.detach().numpy(), atol=1e-6)
