"""Every refusal of the forms by size: the smallest input that must be refused, and the largest that must not be."""

from inspect import unwrap

import numpy as np
import pytest

from slth import InputError
from slth.subsetsum import (
    Status,
    closest,
    closest_batch,
    closest_integer,
    count,
    first,
    first_batch,
    perturbed,
    perturbed_batch,
    smallest,
    smallest_batch,
    trade_off,
)

NAN, INF = float("nan"), float("inf")
V = [0.5, 0.25]
BAD = {
    "size above n": (lambda: closest(V, 0.1, size=3), "from 0 to the number of values, 2, got 3; leave it out"),
    "size below 0": (lambda: first(V, 0.1, tol=0.1, size=-1), "size must be an integer from 0 .* got -1"),
    "size above n, batch": (lambda: closest_batch([V], [0.1], size=3), "size must be"),
    "size above n, first batch": (lambda: first_batch([V], [0.1], tol=0.1, size=3), "size must be"),
    "size above n, count": (lambda: count(V, 0.1, tol=0.1, size=3), "size must be"),
    "size above n, integers": (lambda: closest_integer([1, 2], 1, size=3), "size must be"),
    "one of no candidates": (lambda: closest([], 0.1, size=1), "number of values, 0, got 1"),
    "true is not a size": (lambda: closest(V, 0.1, size=True), "got True"),
    "41 values, half of them": (lambda: closest(np.ones(41), 0.1, size=20), "at most 40 values.*got 41 values"),
    "64 values, six of them": (lambda: closest(np.ones(64), 0.1, size=6), "or keep fewer"),
    "64 values, up to six": (lambda: first(np.ones(64), 0.1, tol=0.1, size=(5, 6)), "or keep fewer"),
    "41 values, smallest": (lambda: smallest(np.ones(41), 0.1, tol=0.1), "at most 40 values"),
    "41 zeros": (lambda: trade_off(np.zeros(41), 0.1), "at most 40 values"),
    "41 values, count": (lambda: count(np.ones(41), 0.1, tol=0.1), "at most 40 values"),
    "41 integers": (lambda: closest_integer(np.ones(41, int), 1), "at most 40 values"),
    "65 values": (lambda: count(np.ones(65), 0.1, tol=0.1, size=1), "at most 64 values"),
    "nan value": (lambda: smallest([NAN], 0.1, tol=0.1), "values must be finite, got nan"),
    "infinite target": (lambda: trade_off(V, INF), "targets must be finite"),
    "nan in a batch": (lambda: smallest_batch([V, [0.5, NAN]], [0.1, 0.1], tol=0.1), r"at index \(1, 1\)"),
    "too few targets": (lambda: perturbed_batch([V, V], [0.1], tol=0.1, most_move=0.1), "2 rows and 1 targets"),
    "tol zero": (lambda: smallest(V, 0.1, tol=0.0), "positive finite"),
    "tol negative": (lambda: count(V, 0.1, tol=-0.1), "positive finite"),
    "tol nan": (lambda: perturbed(V, 0.1, tol=NAN, most_move=0.1), "positive finite"),
    "move negative": (lambda: perturbed(V, 0.1, tol=0.1, most_move=-1e-300), "most_move must be a finite number of at"),
    "move nan": (lambda: perturbed_batch([V], [0.1], tol=0.1, most_move=NAN), "most_move must be"),
    "move infinite": (lambda: perturbed(V, 0.1, tol=0.1, most_move=INF), "most_move must be"),
    "moved beyond float64": (lambda: perturbed(V, 0.1, tol=0.1, most_move=1e308), "beyond the range of float64"),
    "a batch for one": (lambda: smallest([V], 0.1, tol=0.1), "values must be one-dimensional"),
    "integers too deep": (lambda: closest_integer([[1, 2]], 1), "one row of integers, got shape"),
    "ragged integers": (lambda: closest_integer([[1], [1, 2]], 1), "different lengths"),
    "fractions": (lambda: closest_integer(V, 1), "values must be integers, got dtype float64"),
    "int64 is exceeded": (lambda: closest_integer([2**63], 0), "fit in int64, got 9223372036854775808"),
    "uint64 is exceeded": (lambda: closest_integer([2**64, 1], 0), "fit in int64"),
    "sums overflow": (lambda: closest_integer([2**61, -(2**61)], 0), r"less than 2\^62.*got 4611686018427387904"),
    "target overflows": (lambda: closest_integer([1], 2**62 - 1), r"less than 2\^62"),
    "int64 minimum": (lambda: closest_integer([-(2**63)], 0), r"less than 2\^62"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_smallest_bad_input_is_refused_in_a_sentence(case):
    call, message = BAD[case]
    with pytest.raises(InputError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)


def test_wrong_types_are_refused_in_a_sentence_too():
    """Past the runtime type checker, which only tests run with and which refuses them first."""
    with pytest.raises(InputError, match=r"size must be an integer from 0 .* got 1\.5"):
        unwrap(closest)(V, 0.1, size=1.5)
    with pytest.raises(InputError, match='objective must be "size" or "move", got \'least\''):
        unwrap(perturbed)(V, 0.1, tol=0.1, most_move=0.1, objective="least")
    with pytest.raises(InputError, match="most_move must be a finite number"):
        unwrap(perturbed)(V, 0.1, tol=0.1, most_move="0.1")
    with pytest.raises(InputError, match=r"target must be an integer, got 0\.5"):
        unwrap(closest_integer)([1, 2], 0.5)
    with pytest.raises(InputError, match="threads must be"):
        unwrap(smallest_batch)([V], [0.1], tol=0.1, threads=1.5)


def test_the_largest_good_inputs_are_taken():
    assert closest(np.ones(40), 19.75, size=20).error == 0.25
    assert closest(np.ones(64), 4.75, size=5).error == 0.25
    assert first(np.ones(64), 4.75, tol=0.5, size=5).status is Status.WITHIN_TOL
    assert count(np.ones(64), 4.75, tol=0.5, size=5).count == 7624512  # 64 choose 5
    assert count(np.zeros(40), 0.25, tol=0.5).count == 2**40
    assert smallest(np.ones(40), 3.0, tol=0.5).kept.sum() == 3
    assert closest_integer([2**61 - 1, 2**61 - 1], 1).error == 1
    assert closest_integer([-(2**61), 2**61 - 1], 0, size=2).error == 1
    assert perturbed([0.5], 0.5, tol=0.1, most_move=1e307).error == 0
    assert closest([1.7e308, 1.0], 1.0, size=1).error == 0


def test_no_candidates_are_a_problem_with_one_answer():
    for answer in (closest([], 0.5, size=0), smallest([], 0.5, tol=0.1), trade_off([], 0.5)[0]):
        assert answer.error == 0.5
    assert perturbed([], 0.5, tol=0.1, most_move=1.0).status is Status.BEST_EFFORT
    assert count([], 0.5, tol=0.5).count == 1
    assert closest_integer([], 3).status is Status.INFEASIBLE


def test_inputs_are_not_modified():
    values, integers = np.array([0.5, -0.25, 0.75]), np.array([3, -2, 7])
    before = values.copy(), integers.copy()
    values.flags.writeable = integers.flags.writeable = False
    closest(values, 0.3, size=1)
    trade_off(values, 0.3)
    count(values, 0.3, tol=0.1)
    perturbed(values, 0.3, tol=0.1, most_move=0.1)
    closest_integer(integers, 4)
    assert (values == before[0]).all()
    assert (integers == before[1]).all()
