"""The verb: model, data, method in; a ticket out that says exactly what the trained model computes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import slth
from slth import InputError
from slth.data import load
from slth.learning import EdgePopup, Magnitude, PerturbedEdgePopup, RunFiles, Training, find
from slth.learning.ask import search
from slth.learning.batches import Batches
from slth.learning.controls import CONTROLS, control
from slth.network import build_architecture
from slth.sweeps import once
from slth.ticket import Bound

SHORT = Training(epochs=4.0, batch=64)
MLP = {"inputs": [1, 8, 8], "classes": 10}


def test_what_a_perturbed_ticket_moved_is_stored_and_bounded():
    found = search(None, "digits", PerturbedEdgePopup(0.5, most_move=0.01), training=SHORT)
    assert 0 < found.ticket.largest_move <= 0.01
    assert found.ticket.move_bound <= 0.01
    still = search(None, "digits", PerturbedEdgePopup(0.5, most_move=0.0), training=SHORT)
    assert still.ticket.strong


def test_controls_of_a_strong_ticket_are_worth_nothing_and_dense_training_is_worth_more():
    found = search(None, "digits", EdgePopup(0.5), training=SHORT, controls=True)
    assert set(found.controls) == set(CONTROLS)
    assert max(found.controls[name] for name in CONTROLS[:3]) < 0.4 < found.accuracy
    assert found.controls["dense"] > 0.8


def test_control_tickets_keep_what_they_say():
    ticket = search(None, "digits", EdgePopup(0.3), training=SHORT).ticket
    scattered, shuffled, fresh = (control(ticket, name) for name in CONTROLS[:3])
    assert [t.kept for t in shuffled.tensors] == [t.kept for t in ticket.tensors]
    assert scattered.kept == ticket.kept
    assert [t.kept for t in scattered.tensors] != [t.kept for t in ticket.tensors]
    for path in (tensor.path for tensor in ticket.tensors):
        assert (fresh.mask(path) == ticket.mask(path)).all()
        assert not (shuffled.mask(path) == ticket.mask(path)).all()
        assert not np.array_equal(fresh.effective(path), ticket.effective(path))


def test_a_pruned_magnitude_ticket_is_weak_and_its_mask_alone_is_strong():
    weak = search(None, "digits", Magnitude(0.3, rate=1.0), training=SHORT).ticket
    mask = search(None, "digits", Magnitude(0.3, rate=1.0, retrain=False), training=SHORT).ticket
    assert not weak.strong
    assert mask.strong
    assert (weak.mask("1.weight") == mask.mask("1.weight")).all()


def test_one_projected_run_serves_all_densities(tmp_path):
    made = []

    def share(name, make) -> Path:
        return once(tmp_path / name, lambda: made.append(name) or make())

    def run(density: float, files: RunFiles | None):
        return search(None, "digits", PerturbedEdgePopup(density, 0.02), training=SHORT, files=files).ticket

    for density in (0.4, 0.7):
        alone, shared = run(density, None), run(density, RunFiles(share=share))
        assert alone.digests == shared.digests
    assert len(made) == 1


@pytest.mark.parametrize(
    "settings", [{}, {"scope": "global", "last_rate": 0.1, "rewind": 2, "pruned_weights": "freeze"}]
)
def test_rounds_of_pruning_are_shared_by_all_densities_of_a_ladder_and_by_what_follows(tmp_path, settings):
    """Densities 0.8^k prune alike until their last training; fresh weights differ from rewound ones only there."""
    made = []

    def share(name, make) -> Path:
        return once(tmp_path / name, lambda: made.append(name) or make())

    def run(density: float, action: str, files: RunFiles | None):
        method = Magnitude(density, kept_weights=action, **settings)
        return search(None, "digits", method, training=SHORT, files=files).ticket

    for density, action in ((0.512, "rewind"), (0.8, "rewind"), (0.64, "reinitialise")):
        alone, shared = run(density, action, None), run(density, action, RunFiles(share=share))
        assert alone.digests == shared.digests
    assert len(made) == 3  # rounds 0, 1 and 2 of the longest


def test_the_users_own_module_keeps_its_code_and_takes_the_ticket():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([nn.Linear(64, 32), nn.Linear(32, 32)])
            self.head = nn.Linear(32, 10)

        def forward(self, x):
            x = x.flatten(1)
            for block in self.blocks:
                x = x + block(x).relu() if x.shape[1] == 32 else block(x).relu()
            return self.head(x)

    model = Net()
    ticket = search(model, "digits", EdgePopup(0.5), training=SHORT).ticket
    assert ticket.network == Bound()
    x = torch.rand(9, 64)
    assert torch.equal(slth.apply(ticket, Net())(x), model(x))


def test_a_question_that_no_ticket_can_hold_is_refused_before_the_first_step():
    model, steps = build_architecture("mlp", MLP), []
    before = [value.clone() for value in model.state_dict().values()]
    data = replace(load("digits"), name="two\nlines")
    files = RunFiles(progress=lambda *at: steps.append(at))
    with pytest.raises(InputError, match=r"asked\.data: expected plain data"):
        search(model, data, training=SHORT, files=files)
    assert not steps
    assert all(torch.equal(old, new) for old, new in zip(before, model.state_dict().values(), strict=True))


def test_a_method_that_lacks_a_member_is_refused_before_anything_is_changed():
    class Old:
        """A method as it was before `prepare` and `move_bound` had to be there."""

        density, strong, policy, training = 0.5, True, EdgePopup().policy, SHORT

        def mask(self, tensor):
            return EdgePopup().mask(tensor)

        def stages(self, training):
            return EdgePopup().stages(training)

    model = build_architecture("mlp", MLP)
    before = [value.clone() for value in model.state_dict().values()]
    plain = getattr(find, "__wrapped__", find)  # below the shape checker, which refuses it by itself
    with pytest.raises(InputError, match=r"all members of slth\.learning\.Method, prepare and move_bound"):
        plain(model, Batches(np.zeros((4, 64)), np.zeros(4, int), (0.0,), (1.0,), 4), None, Old(), name="old")
    assert all(torch.equal(old, new) for old, new in zip(before, model.state_dict().values(), strict=True))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "edge-pop"}, "did you mean 'edge-popup'"),
        ({"method": "edge-popup", "options": {"densty": 0.5}}, "did you mean 'density'"),
        ({"method": "edge-popup", "options": {"density": 0.0}}, "density is the kept fraction"),
        ({"method": "edge-popup", "options": {"density": 1.5}}, "density is the kept fraction"),
        ({"method": "edge-popup", "options": {"density": 1e-4}}, "keeps less than one"),
        ({"model": "lenet_300"}, "did you mean"),
        ({"model": nn.ReLU()}, "no layer to mask"),
        ({"model": nn.Sequential(nn.Flatten(), nn.Linear(64, 3))}, "labels"),
        ({"data": 7}, "data: expected"),
        ({"data": (None, None)}, "training set is missing"),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        search(**{"training": SHORT, **arguments})
