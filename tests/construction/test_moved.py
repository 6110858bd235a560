"""ε-perturbed tickets (Xiong, Liao and Kyrillidis, 2023): kept mixing weights move by at most ε, on a grid."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.networks import inputs_of, random_target

from slth import InputError
from slth.construction import Request, construct, plan_layout
from slth.construction.moved import Moved
from slth.construction.objective_chances import moved_chances
from slth.evidence import verify
from slth.network import realised, source
from slth.records import Verdict
from slth.ticket import STEP, decode, encode, realised_digest, summary, take_apart


def asked(**changed):
    return Request(**{"objective": "moved", "most_move": 0.05, "tolerance": 1e-4, "candidates": 20, **changed})


@pytest.fixture(scope="module", params=["relu", "linear"])
def made(request):
    target = random_target((4, 6, 3))
    return construct(target, asked(lift=request.param), inputs=inputs_of(target, -1.0, 1.0)), target


def test_moves_are_stored_on_their_grid_and_bounded(made):
    ticket, target = made
    assert ticket.misses == 0
    assert not ticket.strong
    assert ticket.move_bound == 0.05
    assert 0 < ticket.largest_move <= 0.05
    for moves in ticket.moves.values():
        assert moves.dtype == np.float32
        assert (moves.astype(np.float64) / STEP % 1 == 0).all()
    again = decode(encode(ticket))
    assert encode(again) == encode(ticket)
    checks = verify(again, target=target).checks
    assert all(check.verdict in (Verdict.HOLDS, Verdict.SAYS) for check in checks)
    assert "not strong" in next(check.detail for check in checks if check.name == "moves")
    assert "from above" in dict(summary(ticket))["moved"]


def test_residuals_are_half_a_step_where_the_reach_is_not_used_up(made):
    """All the way to the target, not only into the tolerance: 10⁻⁴ was asked, 2⁻²⁴ gains are left."""
    ticket, target = made
    for path, op in ticket.maps.items():
        part, affine = ticket.realised(path), target.coefficients[path]
        errors = np.abs(part.positive - affine.weight) / ticket.gadgets[path].gain
        assert np.median(errors) <= STEP / 2
        assert op.bias


def test_every_view_sees_the_moved_numbers(made):
    """Coefficients, one weight taken apart, and the source network agree."""
    ticket, _ = made
    x = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (50, 4)))
    assert (source(ticket)(x.float()) - realised(ticket)(x.float())).abs().max() < 1e-5
    path = next(iter(ticket.maps))
    part = ticket.realised(path)
    for o, j in ((0, 0), (5, 3), (2, 1)):
        positive, *negative = take_apart(ticket, path, output=o, input=j).halves
        assert positive.realised == part.positive[o, j, 0]
        assert [-half.realised for half in negative] == ([] if part.linear else [part.negative[o, j, 0]])
        assert not positive.moves[~positive.kept].any()
    assert any(half.moves.any() for half in take_apart(ticket, path, output=0, input=0).halves)


def test_one_wrong_move_is_found(made):
    ticket, target = made
    tensor, moves = next(iter(ticket.moves.items()))
    other = moves.copy()
    other[3] += np.float32(STEP) if other[3] < 0 else -np.float32(STEP)
    wrong = replace(ticket, moves={**ticket.moves, tensor: other})
    failed = [check for check in verify(wrong, target=target).checks if check.verdict is Verdict.FAILS]
    assert "coefficients" in {check.name for check in failed}
    path = tensor.removesuffix("/mixing")
    assert realised_digest(wrong.realised(path)) != ticket.digests[path]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda moves: moves + np.float32(STEP / 2) * (np.arange(len(moves)) == 3), "multiples of 2"),
        (lambda moves: np.where(np.arange(len(moves)) == 3, np.float32(0.0625), moves), "more than the claimed 0.05"),
        (lambda moves: moves[:-1], "one per kept weight"),
        (lambda moves: np.append(moves, np.float32(0)), "one per kept weight"),
        (lambda moves: 0 * moves, "every move is 0"),
        (lambda moves: np.where(np.arange(len(moves)) == 3, np.float32(np.nan), moves), "finite"),
    ],
)
def test_moves_off_the_grid_beyond_the_bound_or_of_another_number_are_refused(made, change, words):
    ticket, _ = made
    tensor, moves = next(iter(ticket.moves.items()))
    with pytest.raises(InputError, match=words):
        replace(ticket, moves={**ticket.moves, tensor: change(moves).astype(np.float32)})


def test_a_move_beyond_one_is_refused_without_a_claim(made):
    """v + Δ may leave [−1, 1]; beyond 2 the sums would not be exact."""
    ticket, _ = made
    tensor, moves = next(iter(ticket.moves.items()))
    far = np.where(np.arange(len(moves)) == 3, np.float32(1 + STEP), moves)
    with pytest.raises(InputError, match="exact for moves of at most 1"):
        replace(ticket, moves={**ticket.moves, tensor: far}, move_bound=None)


def test_one_kept_bit_more_needs_a_move_of_its_own(made):
    ticket, _ = made
    tensor = next(iter(ticket.moves))
    mask = ticket.masks[tensor].copy()
    at = int(np.flatnonzero(~np.unpackbits(mask, bitorder="little").astype(bool))[0])
    mask[at // 8] |= 1 << at % 8
    tensors = tuple(replace(t, kept=t.kept + 1) if t.path == tensor else t for t in ticket.tensors)
    with pytest.raises(InputError, match="one per kept weight"):
        replace(ticket, masks={**ticket.masks, tensor: mask}, tensors=tensors)


def test_rows_are_answered_with_their_error():
    rng = np.random.default_rng(0)
    u, v = rng.integers(2**22, 2**23, (200, 12)) * STEP, rng.integers(-(2**23), 2**23, (200, 12)) * STEP
    z = rng.uniform(-0.6, 0.6, 200)
    found = Moved(0.02).with_factors(u, u * v, z, tol=1e-3)
    kept = (found.packed[:, :1] >> np.arange(12, dtype=np.uint64)) & np.uint64(1)
    sums = (u * (v + found.steps * STEP) * kept).sum(axis=1)
    np.testing.assert_array_equal(np.abs(sums - z), found.error)
    np.testing.assert_array_equal(found.reached, found.error <= 1e-3)
    assert np.abs(found.steps).max() <= 0.02 / STEP
    assert not found.steps[kept == 0].any()


def test_the_more_they_may_move_the_fewer_candidates_are_planned():
    target = random_target((40, 30), bias=False)
    inputs = inputs_of(target, 0.0, 1.0)
    widths = []
    for move in (None, 0.001, 0.01, 0.1, 0.3, 1.0):
        recipe = {"objective": "within", "most_move": None} if move is None else {"most_move": move}
        layout = plan_layout(target, asked(candidates=None, tolerance=1e-3, **recipe), inputs=inputs)
        assert layout.expected_misses <= 0.01
        widths.append(layout.gadgets["layers/0"].candidates)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 1.5 * widths[-2]
    found = np.array([[moved_chances(n, move, 1e-3) for n in range(1, 40)] for move in (1.0, 0.3, 0.05, 0.01, 1e-3)])
    assert (np.diff(found, axis=1) <= 1e-12).all()
    assert (np.diff(found, axis=0) >= -1e-12).all()
    ticket = construct(target, asked(candidates=None, most_move=0.3, tolerance=1e-3), inputs=inputs)
    assert ticket.misses == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"most_move": None}, "a largest move goes with the objective moved"),
        ({"objective": "within"}, "a largest move goes with the objective moved"),
        ({"most_move": 1.5}, "beyond which sums are not exact; got 1.5"),
        ({"most_move": 1e-9}, "one step of the grid"),
    ],
)
def test_what_no_move_allows_is_refused_in_a_sentence(changed, words):
    with pytest.raises(InputError, match=words):
        asked(**changed)
