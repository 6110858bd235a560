"""NumPy's numbers are numbers, at every door that asks for an integer or a fraction."""

import numpy as np
import pytest

import slth
from slth import InputError
from slth.construction import Request
from slth.learning import EdgePopup, Magnitude, PerturbedEdgePopup, Policy, Training
from slth.network import build_architecture
from slth.numerics import check_seed
from slth.subsetsum import laws
from slth.ticket import decode, encode

THREE, HALF = np.int64(3), np.float32(0.5)


def test_a_seed_of_numpy_is_the_same_seed_and_is_written_as_one():
    assert check_seed(THREE) == 3
    assert type(check_seed(THREE)) is int
    target = {"weight": np.ones((1, 1))}
    ours, theirs = (slth.construct(target, input_range=(0, 1), tolerance=0.1, seed=seed) for seed in (3, THREE))
    assert encode(ours) == encode(theirs)
    asked = {"training": {"epochs": 0.1}}
    ours, theirs = (slth.search("mlp", "digits", EdgePopup(0.5), seed=seed, **asked).ticket for seed in (3, THREE))
    assert encode(ours) == encode(theirs)
    assert decode(encode(theirs)).seed == 3


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            lambda: Request(candidates=30, retries=3, seed=3),
            lambda: Request(candidates=np.int32(30), retries=THREE, seed=THREE),
        ),
        (lambda: Request(tolerance=0.5), lambda: Request(tolerance=HALF)),
        (lambda: Training(batch=3, accumulate=3), lambda: Training(batch=THREE, accumulate=THREE)),
        (lambda: Training(lr=0.5, epochs=3.0), lambda: Training(lr=HALF, epochs=THREE)),
        (lambda: EdgePopup(0.5), lambda: EdgePopup(HALF)),
        (lambda: Magnitude(0.5, rewind=3, rate=0.5), lambda: Magnitude(HALF, rewind=THREE, rate=HALF)),
        (lambda: PerturbedEdgePopup(0.5, 0.5), lambda: PerturbedEdgePopup(HALF, HALF)),
        (lambda: Policy(first=0.5, gain=3), lambda: Policy(first=HALF, gain=THREE)),
    ],
)
def test_records_take_them(ours, theirs):
    assert ours() == theirs()


def test_shapes_and_sizes_take_them(unchecked):
    assert np.array_equal(
        laws.candidates(laws.Uniform(), (THREE, np.uint8(2))), laws.candidates(laws.Uniform(), (3, 2))
    )
    sizes = {"inputs": [np.int64(4)], "classes": THREE, "hidden": [np.int32(5)], "width": HALF}
    plain = {"inputs": [4], "classes": 3, "hidden": [5], "width": 0.5}
    shapes = [[tuple(p.shape) for p in build_architecture("mlp", given).parameters()] for given in (sizes, plain)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("wrong", [True, np.bool_(True), "3", 2.5, np.float64(2.5), None])
def test_what_is_no_integer_is_refused_as_before(wrong, unchecked):
    doors = [
        lambda: check_seed(wrong),
        lambda: Training(batch=wrong),
        lambda: laws.candidates(laws.Uniform(), (wrong,)),
        lambda: build_architecture("mlp", {"inputs": [4], "classes": wrong}),
    ]
    if wrong is not None:
        doors.append(lambda: Request(candidates=wrong))
    for door in doors:
        with pytest.raises(InputError):
            door()
