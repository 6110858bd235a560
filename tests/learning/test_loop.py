"""A loop of one's own: the masks of a search, a ticket like a search's, and one sentence where it cannot be."""

import copy
import math
from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

import slth
from slth import InputError
from slth.data import load
from slth.learning import (
    Biprop,
    EdgePopup,
    Magnitude,
    MaskedParameter,
    PerturbedEdgePopup,
    Policy,
    Supermask,
    attach,
)
from slth.learning.batches import Batches
from slth.learning.devices import optimizer_for, set_rate
from slth.learning.methods import FixedMask
from slth.learning.steps import steps_of
from slth.network import build_architecture
from slth.ticket import Bound, Builtin, Inputs, decode, encode

SCHEDULED = [
    EdgePopup(0.1, scope="global"),
    EdgePopup(0.3, scope="global", ramp=1.0),
    Magnitude(0.2),
    Magnitude(0.3, rate=0.5, scope="global", rewind=2, kept_weights="reinitialise"),
    Magnitude(0.3, rate=0.5, criterion="random", pruned_weights="freeze_away", last_rate=0.1),
    Magnitude(0.3, rate=1.0, kept_weights="constant", retrain=False),
    Magnitude(1.0),
    PerturbedEdgePopup(0.5, 0.05),
    PerturbedEdgePopup(1.0, 0.05),
]
AT_ONCE = [
    EdgePopup(0.3),
    EdgePopup(0.1, scope="global", ramp=0.0),
    Biprop(0.4),
    Biprop(0.4, binary_activations=True),
    Supermask(),
    PerturbedEdgePopup(0.5, 0.0),
]


def mk() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 3))


def norm_net() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(20, 30), nn.BatchNorm1d(30), nn.ReLU(), nn.Linear(30, 3))


X = np.random.default_rng(0).normal(size=(64, 20)).astype(np.float32)
Y = X[:, :3].argmax(1)


def fit(masks, method, batches=None, *, steps=None, say=True):
    """The loop of a user: batches in the order, rates and optimisers of a search; what `step` said, call by call.

    Without `steps` each stage of the method is as long as in a search.
    """
    batches = Batches(X, Y, (0.0,), (1.0,), 16) if batches is None else batches
    training = replace(method.training, epochs=2.0 if method.training.epochs > 1 else method.training.epochs)
    training = replace(training, batch=batches.size)
    stages = method.stages(training)
    plan = [(stage, step) for stage in stages for step in steps_of(stage, batches, f"{masks.seed}/{stage.name}")]
    plan, said, stage = plan[:steps], [], 0
    optimizer = optimizer_for(masks.parameters, stages[0].training)
    masks.model.train()
    for number, (_, step) in enumerate(plan, 1):
        set_rate(optimizer, step.rate)
        x, y = batches.take(step.rows)
        optimizer.zero_grad()
        nn.functional.cross_entropy(masks.model(x), y).backward()
        optimizer.step()
        if say:
            said.append(masks.step(number / len(plan)))
            if said[-1]:
                stage += 1
                optimizer = optimizer_for(masks.parameters, stages[stage].training)
    return said, training


@pytest.mark.parametrize("make", [mk, norm_net])
@pytest.mark.parametrize("method", [*SCHEDULED, *AT_ONCE], ids=repr)
def test_a_loop_by_hand_gives_the_ticket_of_a_search_bit_for_bit(method, make):
    """With its optimiser, order and rates; the tickets differ in what they say of their making, and in nothing else."""
    torch.set_num_threads(1)
    batches = Batches(X, Y, (0.0,), (1.0,), 16)
    masks = attach(make(), method, seed=7)
    said, training = fit(masks, method, batches)
    assert sum(said) == len(method.stages(training)) - 1
    by_hand = masks.ticket()
    found = slth.search(make(), ((X, Y), None), method, training=training, seed=7).ticket
    assert encode(replace(by_hand, provenance=found.provenance)) == encode(found)
    assert slth.verify(by_hand).holds


def test_global_selection_is_that_of_the_network():
    """0.1 of 690 weights, wherever they are; a tenth of each layer would be 60 and 9."""
    method = EdgePopup(0.1, scope="global")
    masks = attach(mk(), method)
    assert masks.kept == 690  # the ramp begins at 1
    _, training = fit(masks, method)
    counts = [int(tensor.mask.chosen().sum()) for tensor in masks]
    assert sum(counts) == 69
    found = slth.search(mk(), ((X, Y), None), method, training=training)
    assert counts == [tensor.kept for tensor in found.ticket.tensors] != [60, 9]


@pytest.mark.parametrize("method", [*SCHEDULED, *AT_ONCE], ids=repr)
def test_something_trains_from_the_start(method):
    masks = attach(mk(), method)
    assert all(parameter.requires_grad for parameter in masks.parameters) or isinstance(method, PerturbedEdgePopup)
    masks.model.train()
    nn.functional.cross_entropy(masks.model(torch.from_numpy(X)), torch.from_numpy(Y)).backward()
    assert sum(float(p.grad.abs().sum()) for p in masks.parameters if p.grad is not None) > 0
    inside = {id(parameter) for parameter in masks.parameters}
    assert all(id(p) in inside for p in masks.model.parameters() if p.requires_grad)
    assert len(inside) == len(masks.parameters)


def test_what_trains_is_scores_biases_and_norms_as_the_policy_says():
    """`scores` are the scores alone."""
    masks = attach(norm_net(), EdgePopup(0.5), policy=Policy(biases="train", norms="train"))
    assert len(masks.scores) == 2
    expected = [*masks.scores, masks.model[1].weight, masks.model[1].bias, masks.model[0].bias, masks.model[3].bias]
    assert [id(p) for p in masks.parameters] == [id(p) for p in expected]
    before = [parameter.detach().clone() for parameter in masks.parameters]
    fit(masks, EdgePopup(0.5))
    assert not any(torch.equal(p, then) for p, then in zip(masks.parameters, before, strict=True))
    masks = attach(norm_net(), Magnitude(0.5))
    assert masks.scores == []
    assert [id(p) for p in masks.parameters] == [id(p) for p in [*masks.originals, *masks.biases_and_norms]]


def test_one_optimiser_does_for_a_method_that_trains_weights_and_then_scores():
    """Once the weights are done they have no gradient, and weight decay and momentum leave them alone."""
    method = PerturbedEdgePopup(0.5, 0.05)
    masks = attach(mk(), method)
    optimizer = torch.optim.SGD(masks.parameters, lr=0.1, momentum=0.9, weight_decay=0.1)
    weights, scores, x, y = [], [], torch.from_numpy(X), torch.from_numpy(Y)
    for number in range(14):
        optimizer.zero_grad(set_to_none=False)
        nn.functional.cross_entropy(masks.model(x), y).backward()
        optimizer.step()
        assert masks.step((number + 1) / 14) == (number == 11)
        weights.append(masks.originals[0].detach().clone())
        scores.append(masks.scores[0].detach().clone())
    assert torch.equal(scores[0], scores[11])
    assert torch.equal(weights[11], weights[13])
    assert not torch.equal(scores[11], scores[13])
    assert not torch.equal(weights[0], weights[11])
    assert masks.ticket().largest_move <= method.move_bound


@pytest.mark.parametrize("method", SCHEDULED, ids=repr)
def test_a_method_that_changes_on_the_way_has_no_ticket_until_it_was_told_that_all_is_done(method):
    masks = attach(mk(), method)
    with pytest.raises(InputError, match=r"call masks.step\(done\).*the last call said 0, and a ticket needs 1"):
        masks.ticket()
    fit(masks, method, say=False)
    with pytest.raises(InputError, match=r"the last call said 0, and a ticket needs 1"):
        masks.ticket()
    masks.step(0.01)
    with pytest.raises(InputError, match=r"the last call said 0.01, and a ticket needs 1"):
        masks.ticket()


@pytest.mark.parametrize("method", AT_ONCE, ids=repr)
def test_without_a_schedule_step_does_nothing_and_a_ticket_can_be_had_at_any_time(method):
    torch.set_num_threads(1)
    masks, told = attach(mk(), method), attach(mk(), method)
    fit(masks, method, say=False)
    fit(told, method)
    for done in (0.7, 0.2, 1, 1.0):
        assert told.step(done) is False
    first = encode(masks.ticket())
    assert first == encode(masks.ticket()) == encode(told.ticket())
    with torch.no_grad():
        masks.scores[0].copy_(masks.scores[0].flip(0))
    assert encode(masks.ticket()) != first


@pytest.mark.parametrize("method", [SCHEDULED[0], SCHEDULED[2], SCHEDULED[6], AT_ONCE[0]], ids=repr)
@pytest.mark.parametrize("done", [-0.1, 1.0000001, math.nan, math.inf, "1", None, True, [0.5]])
def test_what_is_no_fraction_is_refused(method, done):
    masks = attach(mk(), method)
    with pytest.raises(InputError, match=r"^done must be a number.* such as \(step \+ 1\) / steps, got"):
        masks.step(done)


def test_numpys_numbers_are_numbers():
    masks = attach(mk(), EdgePopup(0.5, scope="global"))
    assert masks.step(np.float32(0.5)) is False
    assert masks.step(np.int64(1)) is False


@pytest.mark.parametrize("method", SCHEDULED, ids=repr)
def test_a_training_runs_forward_and_ends_once(method):
    masks = attach(mk(), method)
    masks.step(0.02)
    masks.step(0.02)
    with pytest.raises(InputError, match=r"never falls, but after 0.02 came 0.01; give \(step \+ 1\) / steps"):
        masks.step(0.01)
    masks = attach(mk(), method)
    fit(masks, method)
    ticket = encode(masks.ticket())
    with pytest.raises(InputError, match=r"masks.step\(1\) has ended this training, got done = 1; attach new masks"):
        masks.step(1)
    assert encode(masks.ticket()) == ticket


def test_no_stage_is_passed_over():
    """Nine prunings in five steps would not be the method."""
    method = Magnitude(0.2)
    masks = attach(mk(), method)
    assert len(method.stages(method.training)) == 9
    before = masks.kept
    with pytest.raises(InputError, match=r"from done = 0 to 0.3 ends 2 of the 9 stages of magnitude, and each needs"):
        masks.step(0.3)
    assert masks.kept == before
    assert masks.step(0.2)
    assert masks.kept < before
    with pytest.raises(InputError, match=r"from done = 0.2 to 1 ends 8 of the 9 stages"):
        masks.step(1.0)
    with pytest.raises(InputError, match="from done = 0 to 1 ends 2 of the 2 stages of perturbed-edge-popup"):
        attach(mk(), PerturbedEdgePopup()).step(1)


def test_a_rewind_beyond_the_round_is_refused_when_the_round_ends():
    masks = attach(mk(), Magnitude(0.5, rate=1.0, rewind=3))
    masks.step(0.25)
    with pytest.raises(InputError, match=r"rewind=3, but a round has 2 steps; train longer"):
        masks.step(0.5)


@pytest.mark.parametrize("restore", [False, True])
def test_once_the_masks_are_off_there_is_no_step_and_no_ticket(restore):
    masks = attach(mk(), EdgePopup(0.5))
    masks.detach(restore=restore)
    for call in (lambda: masks.step(1), masks.ticket, lambda: masks.parameters, masks.detach):
        with pytest.raises(InputError, match="these masks were taken off before; attach new ones"):
            call()


def test_a_layer_of_which_a_supermask_keeps_nothing_is_no_ticket():
    with pytest.raises(InputError, match=r"0.weight: the supermask keeps nothing"):
        attach(mk(), Supermask()).ticket()


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
    assert origin.asked["method"] == asdict(method)
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
