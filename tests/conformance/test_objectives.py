"""Every objective keeps the promise of its form of the problem, and `solve` takes what it answers.

A further objective is a line of `OBJECTIVES`: the function, the form it answers, and how many of n it keeps, if that is
fixed. `moved` answers another problem: see `tests/construction/test_moved.py`.
"""

from fractions import Fraction

import numpy as np
import pytest
from conformance.subset_sums import FORMS, LAWS, TOL, best, enumerated, mask_of
from helpers.networks import inputs_of, random_target, realised_maps

from slth.construction import Objective, Recipe, Subsets, lay_out, solve, within
from slth.construction.makers import MAKERS
from slth.construction.moved import Moved
from slth.construction.objectives import Exactly, closest, fewest
from slth.records import verbs
from slth.subsetsum import closest_batch

OBJECTIVES = {
    "within": (within, FORMS["first"], None),
    "fewest": (fewest, FORMS["fewest"], None),
    "exactly": (Exactly(0.5), FORMS["first of a size"], lambda n: n // 2),
    "closest": (closest, FORMS["closest"], None),
}


def test_every_objective_has_a_form():
    assert {*OBJECTIVES, "moved"} == set(verbs.OBJECTIVES)
    needs = {"exactly": {"density": 0.5}, "moved": {"most_move": 0.5}}
    for name in verbs.OBJECTIVES:
        found = MAKERS["two-layer"].objective(Recipe(objective=name, **needs.get(name, {})))
        assert found == (Moved(0.5) if name == "moved" else OBJECTIVES[name][0])


def kept_by(answers, row, n):
    """The mask of one row, one entry for each candidate."""
    return np.array([bool(int(answers.packed[row, k // 64]) >> k % 64 & 1) for k in range(n)])


def check_promise(objective, form, law, n, size=None):
    """Rows in, masks and statuses out: within the tolerance if some subset is, and no claim that is not so."""
    for values, target, scale, subsets in enumerated(law, n):
        tol = Fraction(TOL * scale)
        k = None if size is None else size(n)
        *_, mask, good = best(form, subsets, k, tol, Fraction(0))
        answers = objective(values.reshape(1, -1), np.array([target]), tol=TOL * scale)
        kept, (error,), (reached,) = kept_by(answers, 0, n), answers.error, answers.reached
        exact = next(abs(r) for _, r, chosen in subsets if chosen == mask_of(kept))
        assert k is None or kept.sum() == k
        assert error == exact
        assert reached == (exact <= tol)
        assert reached or not (good and form.any_will_do)
        assert good or not form.any_will_do or exact == min(abs(r) for j, r, _ in subsets if k in (None, j))
        assert form.any_will_do or mask_of(kept) == mask


@pytest.mark.parametrize("n", [1, 2, 4, 7])
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_answers_its_form(name, law, n):
    objective, form, size = OBJECTIVES[name]
    assert isinstance(objective, Objective)
    check_promise(objective, form, law, n, size)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_rows_are_answered_one_by_one_and_in_order(name):
    objective, _, _ = OBJECTIVES[name]
    rng = np.random.default_rng(0)
    rows, targets = rng.integers(-(2**23), 2**23, (40, 12)) * 2.0**-23, rng.uniform(-1, 1, 40)
    together = objective(rows, targets, tol=1e-3)
    assert len(together.packed) == 40
    for i in range(40):
        alone = objective(rows[i : i + 1], targets[i : i + 1], tol=1e-3)
        for found in ("packed", "error", "reached"):
            assert (getattr(alone, found)[0] == getattr(together, found)[i]).all()


def none_kept(rows, targets, *, tol):
    """An objective that keeps nothing, and says how far off that is."""
    return Subsets(np.zeros((len(rows), 1), np.uint64), np.abs(targets) <= tol, np.abs(targets))


def always_pleased(rows, targets, *, tol):
    """An objective that calls every answer within the tolerance."""
    found = closest_batch(rows, targets)
    return Subsets(found.packed[:, None], np.ones(len(rows), np.bool_), found.error)


@pytest.mark.parametrize("wrong", [none_kept, always_pleased])
def test_a_broken_promise_is_noticed(wrong):
    with pytest.raises(AssertionError):
        check_promise(wrong, FORMS["first"], "uniform", 4)


@pytest.mark.parametrize("objective", [*(objective for objective, *_ in OBJECTIVES.values()), none_kept])
def test_a_construction_keeps_what_the_objective_chose(objective):
    """The misses that are listed are those of the answers, and the realised coefficients are off by what they say."""
    target = random_target((3, 5, 2))
    inputs = inputs_of(target, -1.0, 1.0)
    layout = lay_out(target, dict.fromkeys(target.graph.maps, 0.02), inputs=inputs, candidates=8)
    ticket = solve(target, layout, inputs=inputs, asked={}, objective=objective)
    listed = {(m.map, m.output, m.input, m.half): m.error for m in ticket.provenance.misses}
    off = {}
    for path, part in realised_maps(ticket).items():
        affine = target.coefficients[path]
        errors = {"positive": part.positive - affine.weight, "bias": (part.bias - affine.bias)[:, None, None]}
        if part.negative is not None:
            errors["negative"] = part.negative + affine.weight
        for half, error in errors.items():
            for o, j, _ in zip(*np.nonzero(np.abs(error) > 0.02), strict=True):
                at = path, int(o), -1 if half == "bias" else int(j), half
                off[at] = abs(float(error[o, j, 0]))
    assert listed.keys() == off.keys()
    assert all(abs(listed[at] - off[at]) < 1e-12 for at in off)
    assert ticket.misses == len(off) > 0
