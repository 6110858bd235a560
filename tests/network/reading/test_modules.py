"""What a target says of a module: the chain that version 1 knows, names of nodes and maps, what was assumed, shapes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from references.zoo import Does, conv_bn, trained
from torch import nn
from torch.nn.utils import parametrizations, prune

from slth import InputError
from slth.graph import Affine, Dense, Linear, Reshape, chain, chain_of, evaluate
from slth.network import read_target
from slth.ticket import Inputs


def numbers(module):
    """Weight and bias of a Linear as the chain holds them."""
    bias = None if module.bias is None else module.bias.detach().double().numpy()
    return Affine(module.weight.detach().double().numpy()[:, :, None], bias)


def differences(first, second):
    """What two targets do not have in common: graph, names, sentences, numbers bit for bit."""
    found = [what for what in ("graph", "names", "assumed", "folded") if getattr(first, what) != getattr(second, what)]
    if list(first.coefficients) != list(second.coefficients):
        return [*found, "maps"]
    for path, a in first.coefficients.items():
        b = second.coefficients[path]
        biases = [[] if part.bias is None else part.bias.tolist() for part in (a, b)]
        if not np.array_equal(a.weight, b.weight) or biases[0] != biases[1]:
            found.append(path)
    return found


def test_a_plain_chain_is_the_chain_of_version_one():
    model = nn.Sequential(
        nn.Linear(3, 4), nn.ReLU(), nn.Dropout(), nn.Sequential(nn.Linear(4, 4), nn.ReLU()), nn.Linear(4, 2, bias=False)
    )
    layers = [model[0], model[3][0], model[4]]
    names = [("0.weight", "0.bias"), ("3.0.weight", "3.0.bias"), ("4.weight", None)]
    assert differences(read_target(model), chain(list(map(numbers, layers)), names=names)) == []


def test_a_subclass_of_a_chain_is_the_chain_as_well():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc2, self.fc1 = nn.Linear(4, 2), nn.Linear(3, 4)

        def forward(self, x):
            return self.fc2(F.relu(self.fc1(x)))

    model = Net()
    names = [("fc1.weight", "fc1.bias"), ("fc2.weight", "fc2.bias")]
    assert (
        differences(read_target(model, input_shape=(3,)), chain([numbers(model.fc1), numbers(model.fc2)], names=names))
        == []
    )


def test_flatten_in_front_needs_no_shape_and_is_nothing_on_flat_inputs():
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    assert chain_of(read_target(model).graph) == ([6, 4, 2], [True, True])
    graph = read_target(model, input_shape=(1, 2, 3)).graph
    assert [node.name for node in graph.nodes] == ["0", "1", "2", "3"]
    assert graph.nodes[0].op == Reshape((6,))
    assert list(graph.maps) == ["1", "3"]


def test_a_norm_that_folds_into_a_chain_leaves_a_chain_with_names():
    model = trained(nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)))
    target = read_target(model)
    assert chain_of(target.graph) == ([3, 4, 2], [True, True])
    assert target.names == {"layers/0": ("0.weight", "0.bias"), "layers/1": ("3.weight", "3.bias")}


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), (3,)),
        (nn.Sequential(nn.Linear(3, 4), nn.ReLU()), (3,)),
        (nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), (3,)),
        (nn.Sequential(nn.ReLU(), nn.Linear(3, 4)), (3,)),
        (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (5, 3)),
    ],
    ids=["tanh", "ends in relu", "two in a row", "begins with relu", "on sequences"],
)
def test_what_is_no_chain_of_version_one_names_its_maps_by_module(model, shape):
    graph = read_target(model, input_shape=shape).graph
    assert all(path.isdecimal() for path in graph.maps)


def test_a_single_linear_layer_is_a_chain():
    model = nn.Linear(3, 2)
    target = read_target(model)
    assert target.graph.nodes[0].op == Linear("layers/0", Dense(3, 2), True)
    assert target.names == {"layers/0": ("weight", "bias")}


def test_nodes_are_called_as_modules_or_by_what_they_do_inside_them():
    def forward(s, x):
        y = s.relu(s.body(x))
        return s.relu(y + F.avg_pool2d(s.gate(y), 1) * y) + 0.5 * y

    model = Does(
        forward,
        body=nn.Sequential(nn.Conv2d(2, 2, 1), nn.MaxPool2d(1)),
        relu=nn.ReLU(),
        gate=nn.Sequential(nn.Sigmoid()),
    )
    whole = nn.Sequential(model, nn.Flatten(), nn.Linear(18, 2))
    names = [node.name for node in read_target(whole, input_shape=(2, 3, 3)).graph.nodes]
    assert names == [
        "0.body.0", "0.body.1", "0.relu/relu", "0.gate.0", "0/axismap", "0/multiply", "0/add", "0.relu/relu:2",
        "0/add:2",
        "1", "2",
    ]  # fmt: skip


def test_a_module_called_input_is_no_input():
    target = read_target(Does(lambda s, x: torch.tanh(s.input(x)), input=nn.Linear(2, 2)), input_shape=(2,))
    assert [node.name for node in target.graph.nodes] == ["input:2", "tanh"]
    assert list(target.graph.maps) == ["input"]


def test_a_tied_weight_is_one_map_by_its_first_name():
    encoder, decoder = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    decoder.weight = encoder.weight
    model = Does(lambda s, x: s.decoder(torch.tanh(s.encoder(x))), encoder=encoder, decoder=decoder)
    target = read_target(model, input_shape=(4,))
    assert list(target.graph.maps) == ["encoder"]
    assert [node.name for node in target.graph.nodes] == ["encoder", "tanh", "encoder:2"]
    assert target.names == {"encoder": ("encoder.weight", None)}


def test_a_transposed_tied_weight_is_a_map_of_its_own():
    model = Does(lambda s, x: F.linear(torch.tanh(s.fc(x)), s.fc.weight.t()), fc=nn.Linear(4, 3))
    target = read_target(model, input_shape=(4,))
    assert list(target.graph.maps) == ["fc", "fc:2"]
    assert target.names == {"fc": ("fc.weight", "fc.bias")}
    assert (target.coefficients["fc:2"].weight[:, :, 0] == target.coefficients["fc"].weight[:, :, 0].T).all()


def test_maps_without_a_module_of_their_own_are_called_by_parameter_or_number():
    model = Does(
        lambda s, x: F.linear(torch.tanh(F.linear(torch.tanh(F.linear(x, s.w1, s.b1)), s.inner.w2)), s.a * s.b),
        w1=nn.Parameter(torch.randn(3, 3)),
        b1=nn.Parameter(torch.randn(3)),
        inner=Does(None, w2=nn.Parameter(torch.randn(3, 3))),
        a=nn.Parameter(torch.randn(3, 3)),
        b=nn.Parameter(torch.randn(3, 3)),
    )
    target = read_target(model, input_shape=(3,))
    assert list(target.graph.maps) == ["w1", "inner.w2", "map/2"]
    assert target.names == {"w1": ("w1", "b1"), "inner.w2": ("inner.w2", None)}


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm", "prune", "old"])
def test_a_computed_weight_is_the_modules_bit_for_bit_and_nobodys_tensor(norm):
    """In its own type: in float64 not one weight-normed number would be the module's."""
    conv = nn.Conv2d(2, 3, 3)
    if norm == "prune":
        prune.l1_unstructured(conv, "weight", 0.4)
    elif norm == "old":
        conv = nn.utils.weight_norm(conv)
    else:
        conv = getattr(parametrizations, norm)(conv)
    model = nn.Sequential(conv, nn.Tanh())
    model.eval()(torch.zeros(1, 2, 5, 5))
    target = read_target(model, input_shape=(2, 5, 5))
    weight = conv.weight.detach().double().numpy().reshape(3, 2, 9)
    assert list(target.graph.maps) == ["0"]
    assert target.names == {}
    assert (target.coefficients["0"].weight == weight).all()
    assert type(conv.weight) in (torch.Tensor, nn.Parameter)  # export leaves no tensor of its own behind


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_exactly(dtype):
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)).to(dtype)
    target = read_target(model)
    assert (target.coefficients["layers/0"].weight[:, :, 0] == model[0].weight.detach().double().numpy()).all()


def test_carried_numbers_are_float32_where_that_is_exact():
    model = nn.Sequential(nn.PReLU(3), nn.Linear(3, 2), nn.Tanh(), trained(nn.BatchNorm1d(2)))
    target = read_target(model, input_shape=(3,))
    assert {name: array.dtype.name for name, array in target.carried.items()} == {
        "0/slope": "float32",
        "3/scale": "float64",
        "3/shift": "float64",
    }


def test_training_mode_is_said_where_it_matters_and_stays():
    quiet = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2))
    assert read_target(quiet).assumed == ()
    norm = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    norm[3].eval()
    (sentence,) = read_target(norm).assumed
    assert "evaluation mode" in sentence
    assert "1 is in training mode" in sentence
    assert [part.training for part in norm.modules()] == [True, True, True, True, False]
    assert read_target(norm.eval()).assumed == ()


def test_reading_leaves_hooks_attributes_buffers_and_the_random_state():
    class Keeps(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.last, self.calls = nn.Linear(3, 2), None, 0

        def forward(self, x):
            self.last, self.calls = x, self.calls + 1
            return self.fc(x)

    model = Keeps()
    seen = []
    handle = model.fc.register_forward_hook(lambda *_: seen.append(1))
    state = torch.get_rng_state()
    read_target(model, input_shape=(3,))
    assert (model.last, model.calls) == (None, 0)
    assert torch.equal(torch.get_rng_state(), state)
    handle.remove()
    seen.clear()
    model(torch.zeros(1, 3))
    assert seen == []


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile], ids=["DataParallel", "compile"])
def test_wrappers_are_read_through(wrap):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    assert differences(read_target(wrap(model)), read_target(model)) == []


def test_the_shape_comes_from_the_example_or_the_domain():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2))
    assert (
        differences(read_target(model, example=torch.zeros(5, 1, 4, 4)), read_target(model, input_shape=(1, 4, 4)))
        == []
    )
    assert (
        differences(
            read_target(model, domain=Inputs((1, 4, 4), None, None, (0.0,), (1.0,))),
            read_target(model, input_shape=[1, 4, 4]),
        )
        == []
    )
    with pytest.raises(
        InputError, match=r"inputs of two shapes: input_shape says \(1, 4, 4\), the example says \(1, 5, 5\)"
    ):
        read_target(model, input_shape=(1, 4, 4), example=np.zeros((2, 1, 5, 5)))


def test_a_view_of_a_target_is_read_back():
    """A Target is given back as it is."""
    target = read_target(nn.Linear(2, 2))
    assert read_target(target) is target


def test_a_branch_on_the_shape_is_decided_by_it():
    model = Does(
        lambda s, x: s.fc(x.flatten(1)) if x.shape[1] > 2 else s.other(x), fc=nn.Linear(12, 2), other=nn.Linear(4, 2)
    )
    assert list(read_target(model, input_shape=(3, 4)).graph.maps) == ["fc"]
    assert list(read_target(model, input_shape=(2, 4)).graph.maps) == ["other"]


def test_dead_branches_are_gone_even_if_they_could_not_be_read():
    def forward(s, x):
        s.unused(torch.fft.rfft(x).abs())
        return s.fc(x)

    assert list(
        read_target(Does(forward, fc=nn.Linear(4, 2), unused=nn.Linear(3, 2)), input_shape=(4,)).graph.maps
    ) == ["layers/0"]


@pytest.mark.parametrize(
    ("equation", "shape", "kinds"),
    [
        ("bi,oi->bo", (4,), ["Linear"]),
        ("bi,io->bo", (4,), ["Linear"]),
        ("bchw,oc->bohw", (4, 3, 2), ["Permute", "Linear", "Permute"]),
        ("oc,bcl->bol", (4, 3), ["Permute", "Linear", "Permute"]),
        ("bli,oi->blo", (3, 4), ["Linear"]),
    ],
)
def test_an_einsum_with_one_constant_matrix_is_a_linear_map(equation, shape, kinds):
    """Compared with the module by the reader itself."""
    first = equation.startswith("oc")
    model = Does(
        lambda s, x: torch.einsum(equation, *((s.w, x) if first else (x, s.w))), w=nn.Parameter(torch.randn(4, 4))
    )
    target = read_target(model.double(), input_shape=shape)
    assert [type(node.op).__name__ for node in target.graph.nodes] == kinds


def test_code_that_asks_for_training_mode_is_said():
    class Asks(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(x) if self.training else 2 * self.fc(x)

    model = Asks()
    (sentence,) = read_target(model, input_shape=(3,)).assumed
    assert "the model is in training mode" in sentence
    assert read_target(model.eval(), input_shape=(3,)).assumed == ()


def test_options_of_state_dicts_are_not_for_modules():
    with pytest.raises(InputError, match="a module is read as it computes"):
        read_target(nn.Linear(2, 2), activation="relu")


def test_a_block_that_normalises_folds_inside_a_bigger_model():
    target = read_target(trained(nn.Sequential(conv_bn(3, 4), conv_bn(4, 4))).double(), input_shape=(3, 6, 6))
    assert [node.name for node in target.graph.nodes] == ["0.0", "0.2", "1.0", "1.2"]


@pytest.mark.parametrize("value", [torch.tensor(float("nan")), torch.zeros(0)], ids=["NaN", "empty"])
def test_a_parameter_that_nothing_uses_may_hold_anything(value):
    model = Does(lambda s, x: s.fc(x), fc=nn.Linear(3, 2), unused=nn.Parameter(value))
    assert list(read_target(model, input_shape=(3,)).graph.maps) == ["layers/0"]


def test_eight_bits_are_read_exactly():
    weight = torch.randn(3, 4).to(torch.float8_e4m3fn)
    model = Does(lambda s, x: F.linear(x, s.w.float()), w=nn.Parameter(weight, requires_grad=False))
    (affine,) = read_target(model, input_shape=(4,)).coefficients.values()
    assert (affine.weight[:, :, 0] == weight.double().numpy()).all()


def test_a_wrapper_that_passes_its_arguments_on_is_read():
    class Wrapper(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, *inputs, **options):
            return self.inner(*inputs, **options)

    target = read_target(Wrapper(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))), input_shape=(3,))
    assert list(target.graph.maps) == ["inner.0", "inner.2"]


@pytest.mark.parametrize("wrap", [lambda y: (y,), lambda y: (y, None), lambda y: {"logits": y}, lambda y: [[y]]])
def test_one_tensor_inside_of_something_is_the_output(wrap):
    model = Does(lambda s, x: wrap(s.fc(x)), fc=nn.Linear(3, 2))
    assert list(read_target(model, input_shape=(3,)).graph.maps) == ["layers/0"]


@pytest.mark.parametrize("factor", [0.0, 1e-30, 1e30])
def test_weights_of_any_size_are_read_exactly(factor):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(factor)
    assert (
        differences(
            read_target(model),
            chain([numbers(model[0]), numbers(model[2])], names=[("0.weight", "0.bias"), ("2.weight", "2.bias")]),
        )
        == []
    )


TABLE = torch.randn(3, 4)


@pytest.mark.parametrize(
    ("forward", "parts", "paths"),
    [
        (lambda s, x: F.linear(x, s.w), {"w": torch.randn(3, 4)}, ["layers/0"]),
        (lambda s, x: torch.tanh(F.linear(x, TABLE)), {}, ["map/0"]),
        (lambda s, x: F.linear(torch.tanh(x @ s.w), s.w.t()), {"w": torch.randn(4, 4)}, ["w"]),
        (
            lambda s, x: F.linear(torch.tanh(F.linear(x, s.l[0])), s.l[1]),
            {"l": [torch.eye(4), TABLE]},
            ["map/0", "map/1"],
        ),
        (lambda s, x: F.linear(torch.tanh(x), torch.from_numpy(s.n)), {"n": np.eye(4, dtype=np.float32)}, ["map/0"]),
    ],
    ids=["attribute", "global", "attribute, transposed", "list", "array"],
)
def test_weights_that_are_no_parameters_are_read_and_are_no_tensors_of_a_state_dict(forward, parts, paths):
    target = read_target(Does(forward, **parts), input_shape=(4,))
    assert list(target.graph.maps) == paths
    assert target.names.keys() <= {"layers/0"}  # a chain has names of its own


def test_hooks_of_the_whole_model_and_calls_of_its_own_are_read():
    class Doubled(nn.Linear):
        def __call__(self, x):
            return 2 * super().__call__(x)

    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    model.register_forward_hook(lambda module, inputs, output: 3 * output)
    model.register_forward_pre_hook(lambda module, inputs: (inputs[0] - 1,))
    x = np.random.default_rng(0).normal(size=(3, 4))
    for module in (model, nn.Sequential(Doubled(4, 3), nn.Tanh())):
        module.double()
        target = read_target(module)
        found = evaluate(target.graph, target.coefficients, x, target.carried)
        np.testing.assert_allclose(found, module(torch.from_numpy(x)).detach(), rtol=0, atol=1e-14)
