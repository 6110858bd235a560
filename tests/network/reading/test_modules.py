"""What of a module is read, and left as it was: evaluation mode, hooks, wrappers, shapes, branches, outputs."""

import numpy as np
import pytest
import torch
from helpers.targets import differences
from references.zoo import Does
from torch import nn

from slth import InputError
from slth.graph import evaluate
from slth.network import read_target
from slth.ticket import Inputs


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
