"""Windows along an axis: which are legal, and where what they give can be negative, told without a matrix."""

import itertools

import numpy as np
import pytest

from slth import InputError
from slth.graph import AxisMap, AxisMatrix, Dense, Graph, Linear, MaxPool, Node, Pad, Reshape, shape_of, signed_inputs


def test_a_max_pool_is_legal_only_if_each_window_has_an_entry():
    """Beyond that, only steps longer than a padded axis are refused: their windows could jump over it."""
    legal = 0
    for length, k, s, d, a, e in itertools.product(
        range(1, 6), range(1, 4), range(1, 3), range(1, 4), range(5), range(5)
    ):
        count = (length + a + e - d * (k - 1) - 1) // s + 1
        full = count >= 1 and all(any(0 <= m * s + p * d - a < length for p in range(k)) for m in range(count))
        try:
            shape = shape_of(MaxPool((k,), (s,), (a, e), (d,)), ((length,),), {})
        except InputError:
            assert not full or (d > length and (a or e))
        else:
            assert full
            assert shape == (count,)
            legal += 1
    assert legal > 500


def test_a_huge_window_costs_nothing():
    """Sizes are compared, never counted."""
    shape_of(MaxPool((2**20,), (1,), (2**19, 2**19), (1,)), ((2**20,),), {})
    with pytest.raises(InputError, match="padding"):
        shape_of(MaxPool((2**20,), (1,), (2**20, 2**20), (1,)), ((1,),), {})


MATRICES = [
    AxisMatrix(0, "average", kernel=3, stride=2, padding=(1, 1), length=4, count="all"),
    AxisMatrix(0, "average", kernel=2, stride=3, padding=(0, 0), length=2, count="real"),
    AxisMatrix(0, "mean", length=3),
    AxisMatrix(0, "nearest", length=9),
    AxisMatrix(0, "linear", length=5, corners=True),
    AxisMatrix(0, "linear", length=11, corners=False),
]


@pytest.mark.parametrize("axis", MATRICES, ids=lambda axis: f"{axis.kind}-{axis.length}")
def test_an_entry_can_be_negative_where_its_row_reads_one_that_can(axis):
    """Against the matrix itself, for every pattern of signs along the axis."""
    length = 7
    matrix = axis.matrix(length, {})
    graph = Graph(
        (
            Node("pool", AxisMap((axis,)), ("input",)),
            Node("fc", Linear("fc", Dense(len(matrix), 1), False), ("pool",)),
        )
    )
    for pattern in itertools.product([False, True], repeat=length):
        negative = np.array(pattern)
        found = signed_inputs(graph, (length,), negative, {})["fc"]
        assert (found == (matrix @ negative > 0)).all()


def test_an_average_never_divides_a_window_of_padding():
    for padding in ((3, 0), (0, 9)):
        axis = AxisMatrix(0, "average", kernel=3, stride=4, padding=padding, length=3, count="all")
        with pytest.raises(InputError, match="reads only padding"):
            axis.rows(6, {})


def test_an_axis_has_one_matrix():
    """Norms of a Kronecker product multiply row by row; of two matrices along one axis they do not."""
    up, down = AxisMatrix(0, "nearest", length=4), AxisMatrix(0, "mean", length=1)
    with pytest.raises(InputError, match="one matrix for each axis"):
        AxisMap((up, down))


@pytest.mark.parametrize(
    "sizes",
    [
        {"kind": "mean", "length": 0},
        {"kind": "average", "kernel": 0, "stride": 1, "padding": (0, 0), "length": 1, "count": "all"},
        {"kind": "average", "kernel": 1, "stride": 1, "padding": (0, -1), "length": 1, "count": "all"},
    ],
)
def test_a_matrix_without_rows_is_refused(sizes):
    with pytest.raises(InputError, match="at least"):
        AxisMatrix(0, **sizes)


def test_signs_of_a_padded_value_have_its_shape():
    """Signs told entry by entry, of which none is negative, padded with 0: nothing is negative, of any length."""
    graph = Graph(
        (
            Node("pad", Pad((1, 1)), ("input",)),
            Node("reshape", Reshape((5, 1)), ("pad",)),
            Node("fc", Linear("fc", Dense(1, 1), False), ("reshape",)),
        )
    )
    for pattern in ([False] * 3, [True, False, False]):
        assert signed_inputs(graph, (3,), np.array(pattern), {})["fc"].tolist() == [any(pattern)]
