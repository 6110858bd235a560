"""Algorithm 1 of Xiong et al.: one projected run, edge-popup at every level, the lowest training loss is kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import training as small
from helpers.digits import TRAIN, mlp
from torch import nn

import slth
from slth import InputError
from slth.cli.app import run
from slth.learning import Masks, PerturbedEdgePopup, Policy, RunFiles, Training, attach
from slth.learning.batches import Batches
from slth.learning.methods.pgd import LEVELS
from slth.learning.trainer import train
from slth.ticket import Candidate, choice_in, decode, encode, summary

SHORT = Training(epochs=1.0, batch=16, lr=0.5)
DENSITIES = (1.0, 0.8, 0.4, 0.1, 0.03)  # the last is not the best


def searched(density, *, epsilon=0.05, policy=None, training=SHORT, **options):
    """(masks, history) on a small network with BatchNorm and dropout."""
    method = PerturbedEdgePopup(density, epsilon, epochs_weights=1.0)
    masks = attach(small.network(), method, seed=2, policy=policy)
    history = train(masks, method.stages(training), small.images(), None, asked={}, **options)
    return masks, history


def loss_of(masks: Masks, batches: Batches) -> float:
    masks.model.eval()
    with torch.no_grad():
        return float(nn.functional.cross_entropy(masks.model(batches.take(np.arange(44))[0]), torch.tensor(batches.y)))


def state(masks: Masks) -> list[bytes]:
    """Kept weights, and all else of the network: statistics of norms, biases."""
    beside = [v for name, v in masks.model.state_dict().items() if ".parametrizations." not in f".{name}"]
    weights = [kept * t.original.detach() for t in masks for kept in [t.mask.chosen()]]
    return [part.numpy().tobytes() for part in (*weights, *beside)]


@pytest.mark.parametrize("epsilon", [0.0, 0.05])
@pytest.mark.parametrize("policy", [None, Policy(biases="train", norms="train")], ids=["plain", "trained norms"])
def test_the_levels_of_one_search_are_those_of_separate_searches(epsilon, policy):
    """Brute force: every density by itself, from the same weights; the last one of the lowest losses is kept."""
    alone = [searched(density, epsilon=epsilon, policy=policy)[0] for density in DENSITIES]
    losses = [loss_of(masks, small.images()) for masks in alone]
    masks, history = searched(DENSITIES, epsilon=epsilon, policy=policy)
    candidates = [one for row in history for one in row.get("candidates", ())]
    assert [one["mask"] for one in candidates] == [f"density {density}" for density in DENSITIES]
    assert [one["training_loss"] for one in candidates] == pytest.approx(losses, rel=1e-6)
    assert len({f"{loss:.4f}" for loss in losses}) == len(DENSITIES)  # they can be told apart
    best = int(np.argmin(losses))
    assert best < len(DENSITIES) - 1
    assert history[-1]["chosen"] == f"density {DENSITIES[best]}"
    assert state(masks) == state(alone[best])


def test_a_tie_goes_to_the_sparser_level():
    """A loss that is the same for every mask."""
    masks, history = searched(DENSITIES, loss=lambda outputs, y: 0 * outputs.sum() + 1.0)
    chosen = [row["chosen"] for row in history if "chosen" in row]
    assert chosen == [f"density {density}" for density in DENSITIES]  # each is at least as good as those before
    assert [int(t.mask.chosen().sum()) for t in masks] == [-(-3 * t.size // 100) for t in masks]


def test_levels_are_searched_from_dense_to_sparse_in_whatever_order_they_are_said():
    assert PerturbedEdgePopup((0.1, 1, 0.03, 0.8, 0.4)) == PerturbedEdgePopup(DENSITIES)
    assert PerturbedEdgePopup([0.4, 0.1]).density == (0.4, 0.1)
    assert PerturbedEdgePopup().density == LEVELS == tuple((10 - s) / 10 for s in range(10))
    for wrong in ((), (0.5, 0.5)):
        with pytest.raises(InputError, match=r"several different ones, such as 0.9,0.5"):
            PerturbedEdgePopup(wrong)
    with pytest.raises(InputError, match="above 0 and at most 1"):
        PerturbedEdgePopup((0.5, 0.0))


def test_a_finished_search_that_is_resumed_keeps_the_level_it_chose(tmp_path):
    """The best level is not the last one; nothing is trained again."""
    files = RunFiles(tmp_path / "run")
    masks, history = searched((0.1, 0.03), files=files)
    assert history[-1]["chosen"] == "density 0.1"
    again, rows = searched((0.1, 0.03), files=files)
    assert state(again) == state(masks)
    assert rows == history


def test_a_density_of_the_policy_holds_at_every_level():
    masks, _ = searched((0.5, 0.2), policy=Policy(last=0.9), loss=lambda outputs, y: 0 * outputs.sum())
    first, last = masks
    assert int(first.mask.chosen().sum()) == -(-first.size // 5)
    assert int(last.mask.chosen().sum()) == -(-9 * last.size // 10)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_projected_run_is_the_printed_step(momentum):
    """W <- W0 + clip(W - rate * gradient - W0, -eps, eps), and nothing else unless momentum is asked for."""
    method = PerturbedEdgePopup(1.0, 0.02, epochs_weights=0.3, lr_weights=0.3, momentum_weights=momentum)
    masks = attach(mlp(), method)
    stages = method.stages(replace(method.training, batch=64))
    train(masks, stages, TRAIN, None, asked={})

    plain = mlp()
    start = [tensor.values() for tensor in masks]
    layers = [module for module in plain if isinstance(module, nn.Linear)]
    with torch.no_grad():
        for layer, values in zip(layers, start, strict=True):
            layer.weight.copy_(values)
            layer.bias.zero_()
    speed = [torch.zeros_like(values) for values in start]
    order = TRAIN.order("0/projected-sgd", 0)
    for step in range(7):  # 0.3 epochs of 23 steps
        x, y = TRAIN.take(order[64 * step : 64 * (step + 1)])
        plain.zero_grad()
        nn.functional.cross_entropy(plain(x), y).backward()
        with torch.no_grad():
            for layer, values, v in zip(layers, start, speed, strict=True):
                v.mul_(momentum).add_(layer.weight.grad)
                layer.weight.copy_(values + (layer.weight - 0.3 * v - values).clamp(-0.02, 0.02))
    for tensor, layer in zip(masks, layers, strict=True):
        assert torch.allclose(tensor.original, layer.weight, atol=1e-6)


def test_plain_projected_sgd_is_the_default_and_wrong_options_are_refused():
    assert (PerturbedEdgePopup().momentum_weights, PerturbedEdgePopup().schedule_weights) == (0.0, "constant")
    stage = PerturbedEdgePopup(schedule_weights="cosine").stages(SHORT)[0]
    assert (stage.training.schedule, stage.training.momentum) == ("cosine", 0.0)
    for wrong in ({"momentum_weights": 1.0}, {"schedule_weights": "multistep"}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            PerturbedEdgePopup(**wrong)


def test_the_ticket_says_what_was_chosen_among_what():
    found = slth.search(None, "digits", PerturbedEdgePopup((0.9, 0.5), 0.05), training={"epochs": 1.0})
    assert len(found.choice.candidates) == 2
    assert found.choice.best.accuracy == found.accuracy
    ticket = decode(encode(found.ticket))
    said = choice_in(ticket.provenance.asked)
    assert said.chosen == found.choice.chosen
    for one, other in zip(said.candidates, found.choice.candidates, strict=True):
        assert (one.mask, one.accuracy) == (other.mask, float(f"{other.accuracy:.6g}"))
        assert one.training_loss == pytest.approx(other.training_loss, rel=1e-5)
    rows = [text for _, text in summary(ticket)]
    for one in said.candidates:
        assert f"{one.mask}: training loss {one.training_loss:.4g}, accuracy {one.accuracy:.2%}" in rows


@pytest.mark.parametrize(
    "found",
    [
        "draw 3",
        {"mask": "draw 3", "training_loss": [1.0], "accuracy": [None], "chosen": "draw 3"},
        {"mask": ["draw 3"], "training_loss": [1.0, 2.0], "accuracy": [None], "chosen": "draw 3"},
        {"mask": ["draw 3"], "training_loss": ["low"], "accuracy": [None], "chosen": "draw 3"},
        {"mask": ["draw 3"], "training_loss": [1.0], "accuracy": [None], "chosen": "draw 4"},
        {"mask": ["draw 3"], "training_loss": [1.0], "accuracy": [None], "chosen": ["draw 3"]},
    ],
)
def test_what_a_stranger_wrote_there_is_not_taken_for_a_choice(found):
    good = {"mask": ["draw 3"], "training_loss": [1.0], "accuracy": [None], "chosen": "draw 3"}
    assert choice_in({"found": good}).candidates == (Candidate("draw 3", 1.0, None),)
    assert choice_in({"found": found}) is None


def test_the_command_line_takes_several_densities_and_shows_their_losses(tmp_path, capsys):
    place = tmp_path / "t"
    command = ["search", "-q", "--hidden", "16", "--epochs", "0.5", "--out", str(place), "--method"]
    assert run([*command, "perturbed-edge-popup", "--density", "0.9,0.5", "--set", "momentum_weights=0.5"]) == 0
    printed = capsys.readouterr().out
    assert "the search says  kept density 0." in printed
    for density in ("0.9", "0.5"):
        assert f"density {density}: training loss" in printed
    method = slth.load(place).provenance.asked["method"]
    assert (method["density"], method["momentum_weights"]) == ([0.9, 0.5], 0.5)
    assert run([*command, "perturbed-edge-popup", "--density", "0.5"]) == 0  # one level: nothing is chosen
    assert "the search says" not in capsys.readouterr().out
    assert run([*command, "edge-popup", "--density", "0.9,0.5"]) == 2
    assert "edge-popup: density must be a number" in capsys.readouterr().err


def test_levels_share_one_model_which_no_density_scales():
    """√(1 / density) is another number for every level, so a level could not be the search for its density alone."""
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    with pytest.raises(InputError, match="scaled weights depend on the density, and all levels share one model"):
        attach(model, PerturbedEdgePopup((0.9, 0.5)), policy=Policy(scaled=True))
    attach(model, PerturbedEdgePopup(0.5), policy=Policy(scaled=True))
