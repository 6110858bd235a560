"""What was read is compared with the module: hooks, overwritten forwards, state of its own cannot slip through."""

import numpy as np
import pytest
import torch
from references.zoo import Does, trained
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from slth import InputError
from slth.graph import Affine, evaluate
from slth.network import read_target
from slth.network.reading.compare import check_same
from slth.ticket import Inputs


def outputs(target, x):
    return evaluate(target.graph, target.coefficients, x, target.carried)


def test_an_overwritten_forward_is_read_as_it_computes():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))
    model[0].forward = lambda x: x * 100
    target = read_target(model)
    assert [node.name for node in target.graph.nodes] == ["1", "2"]  # 100 went into the layer behind
    x = np.array([[1.0, -2.0, 3.0]])
    np.testing.assert_allclose(outputs(target, x), model(torch.tensor(x, dtype=torch.float32)).detach(), rtol=1e-5)


def test_a_hook_is_read_as_it_computes():
    model = nn.Sequential(nn.Linear(3, 2))
    model[0].register_forward_hook(lambda module, inputs, output: 2 * output)
    target = read_target(model)
    np.testing.assert_array_equal(
        target.coefficients["layers/0"].weight[:, :, 0], 2 * model[0].weight.detach().double().numpy()
    )


def test_a_global_hook_is_refused():
    handle = register_module_forward_hook(lambda module, inputs, output: 2 * output)
    try:
        with pytest.raises(InputError, match="a global forward hook is registered"):
            read_target(nn.Linear(3, 2))
    finally:
        handle.remove()


def test_what_export_does_not_see_is_found_by_comparing():
    """A module that computes something else while it is exported."""

    def forward(s, x):
        return s.fc(x) if torch.compiler.is_exporting() else 1.01 * s.fc(x)

    with pytest.raises(InputError, match=r"differs from the model by 0\.0\d+ on random inputs, where rounding allows"):
        read_target(Does(forward, fc=nn.Linear(3, 2)), input_shape=(3,))


def test_state_outside_of_tensors_is_found_by_comparing():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.calls = nn.Linear(3, 2), [0]

        def forward(self, x):
            self.calls[0] += 1
            return self.fc(x) * self.calls[0]

    with pytest.raises(InputError, match="differs from the model"):
        read_target(Counts(), input_shape=(3,))


def moved(target, relative):
    """A target with one coefficient off."""
    path = next(iter(target.coefficients))
    weight = target.coefficients[path].weight.copy()
    weight[0, 0, 0] += relative * abs(weight).max()
    affine = Affine(weight, target.coefficients[path].bias)
    return type(target)(target.graph, {**target.coefficients, path: affine}, target.input_shape, target.carried)


def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)).eval()


def test_one_coefficient_off_is_seen_in_float64():
    model = network()
    target = read_target(model, input_shape=(2, 5, 5))
    x = torch.randn(3, 2, 5, 5)
    check_same(target, model, x)
    with pytest.raises(InputError, match="differs from the model"):
        check_same(moved(target, 1e-4), model, x)


def test_a_module_that_cannot_be_copied_is_compared_in_its_own_type():
    class Stays(nn.Sequential):
        def __deepcopy__(self, memo):
            raise TypeError("cannot be copied")

    model = Stays(*network())
    target = read_target(model.eval(), input_shape=(2, 5, 5))
    x = torch.randn(3, 2, 5, 5)
    check_same(target, model, x)
    check_same(moved(target, 1e-8), model, x)  # within the rounding of float32
    with pytest.raises(InputError, match="differs from the model"):
        check_same(moved(target, 1e-2), model, x)


def test_a_module_that_computes_in_a_narrower_type_is_compared_in_it():
    """Autocast rounds the weights, which is the function then, and every value, which is rounding."""

    def forward(s, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return s.fc(x).float()

    model = Does(forward, fc=nn.Linear(3, 2))
    target = read_target(model, input_shape=(3,))
    rounded = model.fc.weight.detach().bfloat16().double().numpy()
    assert (target.coefficients["layers/0"].weight[:, :, 0] == rounded).all()
    with pytest.raises(InputError, match="differs from the model"):
        check_same(moved(target, 2.0), model, torch.randn(3, 3))


def test_rounding_that_a_deep_module_amplifies_is_allowed():
    """Folded norms round otherwise than the module; ten layers amplify it by 10¹⁰ and the end cancels."""
    torch.manual_seed(4)
    layers = []
    for _ in range(10):
        layers += [nn.Linear(16, 16), nn.BatchNorm1d(16)]
        nn.init.normal_(layers[-2].weight, std=3)
    body = trained(nn.Sequential(*layers, nn.Linear(16, 16)))
    model = Does(lambda s, x: (lambda y: y - 0.999 * y)(s.body(x)), body=body)
    target = read_target(model, input_shape=(16,))
    x = torch.randn(4, 16)
    with torch.no_grad():
        y = model(x).double().numpy()
    off = abs(outputs(target, x.double().numpy()) - y).max() / abs(y).max()
    assert off > 100 * torch.finfo(torch.float32).eps  # far more than one rounding, and read all the same


def test_inputs_come_from_the_domain():
    """Outside of it this module is another one."""

    def forward(s, x):
        return s.fc(x) if torch.compiler.is_exporting() or (x >= 0).all() else s.fc(x) + 1

    model = Does(forward, fc=nn.Linear(3, 2))
    read_target(model, domain=Inputs((3,), None, None, (0.0,), (1.0,)))
    with pytest.raises(InputError, match="differs from the model"):
        read_target(model, input_shape=(3,))


def test_the_example_is_compared_too():
    def forward(s, x):
        return s.fc(x) if torch.compiler.is_exporting() or abs(x).max() < 50 else s.fc(x) + 1

    model = Does(forward, fc=nn.Linear(3, 2))
    read_target(model, example=torch.ones(2, 3))
    with pytest.raises(InputError, match="differs from the model"):
        read_target(model, example=100 * torch.ones(2, 3))
