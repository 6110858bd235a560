"""What every method of search promises, whatever it is: one suite, one line per method and way of using it."""

from dataclasses import FrozenInstanceError, asdict, dataclass, fields, replace
from fractions import Fraction
from typing import Any, Literal

import pytest
import torch
from helpers.digits import largest_move, mlp, percent, shuffle, trained

import slth
from slth import InputError
from slth.learning import METHODS, Biprop, EdgePopup, Magnitude, Masks, Method, PerturbedEdgePopup, Supermask
from slth.learning.ask import method_of, search
from slth.learning.masks import bound32
from slth.network import apply_to, build_architecture
from slth.ticket import decode, encode


@dataclass(frozen=True)
class Case:
    """A method, and what it is to keep: ⌈density · N⌉ of every layer, of the network, or as much as it learns to."""

    method: Any
    exact: Literal["layer", "network"] | None
    strong: bool = True
    move_bound: float | None = None


CASES = [
    Case(EdgePopup(0.5), "layer"),
    Case(EdgePopup(0.5, scope="global"), "network"),
    Case(Biprop(0.5), "layer"),
    Case(Supermask(), None),
    Case(PerturbedEdgePopup(0.5, 0.0), "layer"),
    Case(Magnitude(0.3, rate=1.0, criterion="large_final_same_sign", retrain=False), "layer"),
    Case(Magnitude(0.3, rate=0.5, kept_weights="constant", retrain=False), "layer"),
    Case(Magnitude(0.3, rate=0.5, pruned_weights="freeze_away", retrain=False), None),  # what is frozen counts, too
    Case(PerturbedEdgePopup(0.5, 0.05), "layer", strong=False, move_bound=bound32(0.05)),
    Case(Magnitude(0.3), "layer", strong=False),
    Case(Magnitude(0.3, rate=0.5, scope="global"), "network", strong=False),
    Case(Magnitude(0.3, rate=0.5, rewind=3, retrain=False), "layer", strong=False),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case.method))


def bits(masks: Masks) -> list[bytes]:
    """All that a ticket is made of."""
    return [value.numpy().tobytes() for t in masks for value in (t.mask.chosen(), t.original.detach(), t.values())]


def test_every_method_goes_through_this_suite():
    assert {type(case.method) for case in CASES} == set(METHODS.values())


@every_case
def test_a_method_has_every_member_and_cannot_be_changed(case):
    assert isinstance(case.method, Method)
    assert case.method.strong == case.strong
    assert case.method.move_bound == case.move_bound
    with pytest.raises(FrozenInstanceError):
        setattr(case.method, fields(case.method)[0].name, 0.9)


@every_case
def test_what_a_record_says_of_a_method_makes_the_same_method_again(case):
    name, method = method_of(case.method)
    assert METHODS[name] is type(method)
    assert method_of(name, asdict(method)) == (name, case.method)


@every_case
def test_its_stages_have_names_of_their_own(case):
    """A checkpoint and every random draw are found by them."""
    names = [stage.name for stage in case.method.stages(case.method.training)]
    assert names
    assert len(set(names)) == len(names)


@every_case
def test_a_strong_method_moves_nothing_but_masks(case):
    """Weights equal their streams; biases and norm parameters are what they were before the search.

    A weak one moves weights, no farther than its bound if it has one.
    """
    method, before = case.method, dict(mlp().named_parameters())
    masks = trained(method, epochs=1.0)
    if not case.strong:
        assert largest_move(masks) > 0
        assert case.move_bound is None or largest_move(masks) <= method.most_move
        return
    for tensor in masks:
        assert torch.equal(tensor.original, tensor.values())
    for name, parameter in masks.model.named_parameters():
        if name.endswith("bias"):
            assert torch.equal(
                parameter, before[name] if isinstance(method, Magnitude) else torch.zeros_like(parameter)
            )


def rounded_up(density: float, size: int) -> int:
    return -(-Fraction(str(density)) * size // 1)


@every_case
def test_a_density_is_exact(case):
    """⌈density · N⌉ with density as the decimal that was written; after a training that ends within an epoch."""
    masks = trained(case.method, epochs=0.3)
    counts = [int(tensor.mask.chosen().sum()) for tensor in masks]
    assert masks.kept == sum(counts)
    if case.exact == "layer":
        assert counts == [rounded_up(case.method.density, tensor.size) for tensor in masks]
    elif case.exact == "network":
        assert sum(counts) == rounded_up(case.method.density, masks.size)
    else:
        assert all(0 < count < tensor.size for count, tensor in zip(counts, masks, strict=True))


@every_case
def test_one_seed_gives_the_same_bits_and_another_one_others(case):
    torch.manual_seed(1)
    first = bits(trained(case.method, epochs=0.3, seed=5))
    torch.manual_seed(2)
    assert bits(trained(case.method, epochs=0.3, seed=5)) == first
    assert bits(trained(case.method, epochs=0.3, seed=6)) != first


@every_case
def test_a_fresh_network_with_the_ticket_computes_what_the_trained_one_does(case):
    torch.set_num_threads(1)
    shape = {"inputs": [1, 8, 8], "classes": 10}
    model = build_architecture("mlp", shape)
    training = replace(case.method.training, epochs=4.0, batch=64)
    name, _ = method_of(case.method)
    found = search(model, "digits", name, options=asdict(case.method), training=training, seed=3)
    ticket = decode(encode(found.ticket))
    fresh = apply_to(ticket, build_architecture("mlp", shape, seed=9)).eval()
    x = torch.rand(50, 1, 8, 8)
    assert torch.equal(fresh(x), model.eval()(x))
    assert slth.verify(ticket).holds
    assert found.accuracy > 0.5  # chance: 0.1
    assert ticket.strong == case.strong


LEARNED = [case.method for case in CASES if {s.moving for s in case.method.stages(case.method.training)} == {"scores"}]


@pytest.mark.parametrize("method", LEARNED, ids=repr)
def test_a_learned_mask_beats_as_many_weights_at_random(method):
    """Chance is 10 %. Seen: 68 to 92 % learned, 4 to 22 % at random."""
    masks = trained(method, epochs=4.0)
    learned = percent(masks)
    shuffle(masks)
    assert learned > 60
    assert learned > percent(masks) + 35


@pytest.mark.parametrize("case", [case for case in CASES if case.exact is not None], ids=lambda case: repr(case.method))
def test_density_1_learns_nothing_but_runs(case):
    """Except where nothing but the mask is to be learned: then it is refused."""
    if isinstance(case.method, Magnitude) and not case.method.retrain:
        with pytest.raises(InputError, match="density 1 needs none"):
            replace(case.method, density=1.0)
        return
    masks = trained(replace(case.method, density=1.0), epochs=0.2)
    assert masks.kept == masks.size
