"""A loop of one's own: the masks of a search, and one sentence where it cannot be."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.loops import AT_ONCE, SCHEDULED, X, Y, fit, loss_of, mk, norm_net
from torch import nn

import slth
from slth import InputError
from slth.learning import EdgePopup, Magnitude, PerturbedEdgePopup, Policy, Supermask, attach
from slth.learning.batches import Batches
from slth.ticket import choice_in, encode


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
    masks.step(0.01, loss_of(masks))
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
    masks.step(0.02, loss_of(masks))
    masks.step(0.02, loss_of(masks))
    with pytest.raises(InputError, match=r"never falls, but after 0.02 came 0.01; give \(step \+ 1\) / steps"):
        masks.step(0.01, loss_of(masks))
    masks = attach(mk(), method)
    fit(masks, method)
    ticket = encode(masks.ticket())
    with pytest.raises(InputError, match=r"masks.step\(1\) has ended this training, got done = 1; attach new masks"):
        masks.step(1, loss_of(masks))
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
        attach(mk(), PerturbedEdgePopup(0.5)).step(1)


def test_a_rewind_beyond_the_round_is_refused_when_the_round_ends():
    masks = attach(mk(), Magnitude(0.5, rate=1.0, rewind=3))
    masks.step(0.25)
    with pytest.raises(InputError, match=r"rewind=3, but a round has 2 steps; train longer"):
        masks.step(0.5)


@pytest.mark.parametrize("method", [Supermask(), PerturbedEdgePopup((0.9, 0.5))], ids=repr)
def test_a_method_that_chooses_by_training_loss_is_told_it(method):
    masks = attach(mk(), method)
    with pytest.raises(InputError, match=r"chooses among masks by their training loss: say it with every step"):
        masks.step(0.01)
    fit(masks, method)
    found = choice_in(masks.ticket().provenance.asked)
    loss = {candidate.mask: candidate.training_loss for candidate in found.candidates}
    assert loss[found.chosen] == min(value for mask, value in loss.items() if mask != "threshold")
    masks.model.eval()
    with torch.no_grad():
        assert float(loss_of(masks)()) == pytest.approx(loss[found.chosen], rel=1e-5)


@pytest.mark.parametrize("restore", [False, True])
def test_once_the_masks_are_off_there_is_no_step_and_no_ticket(restore):
    masks = attach(mk(), EdgePopup(0.5))
    masks.detach(restore=restore)
    for call in (lambda: masks.step(1), masks.ticket, lambda: masks.parameters, masks.detach):
        with pytest.raises(InputError, match="these masks were taken off before; attach new ones"):
            call()
