"""The ticket of a loop of one's own: what it says, which network it names, and when there is none."""

import copy
import math
from dataclasses import asdict, dataclass

import pytest
import torch
from helpers.loops import AT_ONCE, SCHEDULED, X, fit, mk, norm_net
from torch import nn

import slth
from slth import InputError
from slth.data import load
from slth.learning import Biprop, EdgePopup, Magnitude, MaskedParameter, Policy, Supermask, attach
from slth.learning.methods import FixedMask
from slth.network import build_architecture
from slth.ticket import Bound, Builtin, Inputs, decode, encode, plain


def test_a_layer_of_which_a_supermask_keeps_nothing_is_no_ticket():
    with pytest.raises(InputError, match=r"0.weight: the supermask keeps nothing"):
        attach(mk(), Supermask(initial=-99.0, final="threshold")).ticket()


def test_a_strong_method_whose_weights_moved_has_no_ticket():
    for method in (EdgePopup(0.5), Magnitude(0.3, rate=1.0, retrain=False)):
        masks = attach(mk(), method)
        fit(masks, method)
        masks.ticket()
        with torch.no_grad():
            masks.originals[1][0, 0] += 1e-3
        with pytest.raises(
            InputError, match=r"2.weight: the weights are not those of their stream any more.*masks.para"
        ):
            masks.ticket()


def test_what_is_not_finite_has_no_ticket():
    masks = attach(mk(), EdgePopup(0.5))
    with torch.no_grad():
        masks.scores[0][0, 0] = math.nan
    with pytest.raises(InputError, match=r"0\.parametrizations\.weight.*not finite after the training"):
        masks.ticket()


@dataclass(frozen=True, slots=True)
class MaskOnly:
    """What `attach` needs of a method, and no more."""

    density = 1.0
    policy = Policy()

    def mask(self, tensor: MaskedParameter) -> FixedMask:
        return FixedMask(tensor.values())

    def prepare(self, masks) -> None:
        """Nothing more."""


def test_a_mask_that_is_no_method_has_no_ticket():
    masks = attach(mk(), MaskOnly())
    assert masks.step(0.5) is False
    with pytest.raises(InputError, match=r"expected a method with all members of slth.learning.Method.*MaskOnly"):
        masks.ticket()


def test_a_ticket_leaves_the_masks_on_and_the_training_as_it_is():
    masks = attach(norm_net(), EdgePopup(0.5))
    fit(masks, EdgePopup(0.5))
    state = {name: value.clone() for name, value in masks.model.state_dict().items()}
    modes = [module.training for module in masks.model.modules()]
    trains = [parameter.requires_grad for parameter in masks.model.parameters()]
    masks.ticket()
    assert all(torch.equal(value, state[name]) for name, value in masks.model.state_dict().items())
    assert modes == [module.training for module in masks.model.modules()]
    assert trains == [parameter.requires_grad for parameter in masks.model.parameters()]


@pytest.mark.parametrize("method", [*SCHEDULED, *AT_ONCE], ids=repr)
def test_a_ticket_says_how_it_was_made_and_a_fresh_model_takes_it(method):
    model = norm_net()
    masks = attach(model, method, seed=5)
    fit(masks, method)
    ticket = decode(encode(masks.ticket(Inputs((20,)), "blobs")))
    origin = ticket.provenance
    assert origin.method == origin.asked["method"].pop("name")
    assert origin.asked["method"] == plain(asdict(method), "settings")
    assert (origin.asked["training"], origin.asked["seed"], origin.data) == ("by hand", 5, "blobs")
    assert origin.asked["policy"]["law"] == method.policy.law
    assert (ticket.seed, ticket.network, ticket.inputs) == (5, Bound(), Inputs((20,), (0.0,), (1.0,)))
    if not masks.replaced:
        fresh, x = slth.apply(ticket, norm_net()).eval(), torch.from_numpy(X)
        assert torch.equal(fresh(x), model.eval()(x))


def test_inputs_are_what_a_search_says_of_them_without_a_range():
    """`Examples.inputs` has one."""
    digits, training = load("digits"), {"epochs": 0.1}
    inputs = digits.inputs(digits.mean, digits.std)
    assert inputs.lower is not None
    masks = attach(build_architecture("mlp", {"inputs": [1, 8, 8], "classes": 10}), EdgePopup(0.5))
    found = slth.search("mlp", digits, EdgePopup(0.5), training=training).ticket
    ticket = masks.ticket(inputs, digits.name)
    assert (ticket.inputs, ticket.provenance.data) == (found.inputs, found.provenance.data)
    assert ticket.network == found.network
    assert ticket.provenance.asked["network"] == found.provenance.asked["network"]


def test_what_are_no_inputs_and_no_data_are_refused():
    masks = attach(mk(), EdgePopup(0.5))
    plain = getattr(type(masks).ticket, "__wrapped__", type(masks).ticket)
    with pytest.raises(InputError, match=r"inputs must be a slth.ticket.Inputs, such as Inputs\(\(1, 28, 28\)\), got"):
        plain(masks, (20,))
    with pytest.raises(InputError, match="data must be a text, got 5"):
        plain(masks, None, 5)


LENET = {"inputs": (1, 12, 12), "classes": 3}


def test_a_network_that_slth_built_is_called_by_its_name():
    model = build_architecture("lenet_5", LENET)
    said = {"inputs": [1, 12, 12], "classes": 3, "width": 1.0, "bias": True}
    for made in (model, copy.deepcopy(model)):
        ticket = attach(made, EdgePopup(0.5)).ticket(Inputs((1, 12, 12)))
        assert ticket.network == Builtin("lenet_5", said)
        assert ticket.provenance.asked["network"] == ["lenet_5", said]
        x = torch.rand(2, 1, 12, 12)
        assert torch.equal(slth.realised(decode(encode(ticket)))(x), made.eval()(x))
    with pytest.raises(
        InputError, match=r"this lenet_5 was built for inputs of shape \(1, 12, 12\), got \(1, 28, 28\)"
    ):
        attach(build_architecture("lenet_5", LENET), EdgePopup(0.5)).ticket(Inputs((1, 28, 28)))


def _tanh(model):
    model[1] = nn.Tanh()


def _wider(model):
    model[10] = nn.Linear(84, 4)


def _forward(model):
    model[0].forward = lambda x: x.repeat(1, 6, 1, 1)


def _hook(model):
    model[0].register_forward_hook(lambda module, inputs, output: 100 * output)


def _stride(model):
    model[0].stride = (2, 2)


def _longer(model):
    model.append(nn.Softmax(1))


@pytest.mark.parametrize("change", [_tanh, _wider, _forward, _hook, _stride, _longer])
@pytest.mark.parametrize("early", [True, False])
def test_a_network_that_was_changed_since_is_the_users_own(change, early):
    """Before the masks were put on, or after."""
    model = build_architecture("lenet_5", LENET)
    if early:
        change(model)
    masks = attach(model, EdgePopup(0.5))
    if not early:
        change(model)
    assert masks.ticket().network == Bound()


def test_signs_in_the_place_of_relus_make_a_network_of_the_users_own():
    masks = attach(build_architecture("mlp", {"inputs": [8], "classes": 3}), Biprop(0.5, binary_activations=True))
    assert masks.ticket().network == Bound()


@pytest.mark.parametrize(
    ("buffer", "sentence"),
    [
        (torch.zeros(3, dtype=torch.bfloat16), "constant is bfloat16; a ticket carries .* persistent=False"),
        (torch.zeros(3, dtype=torch.complex64), "constant is complex64; a ticket carries .* persistent=False"),
        (torch.full((3,), -math.inf), "constant holds values that are not finite .* causal mask.* persistent=False"),
    ],
    ids=["bfloat16", "complex64", "infinite"],
)
def test_what_no_ticket_carries_is_named_and_can_be_mended_after_the_loop(buffer, sentence):
    model = mk()
    model.register_buffer("constant", buffer)
    masks = attach(model, EdgePopup(0.5))
    with pytest.raises(InputError, match=sentence):
        masks.ticket()
    del model.constant
    model.register_buffer("constant", buffer, persistent=False)
    assert masks.ticket().strong
