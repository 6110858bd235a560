"""Sparse matrices: what they compute, their norms, and what is none."""

import numpy as np
import pytest

from slth import InputError
from slth.certificate.rules.windows import sparse_norm_bound
from slth.graph import AxisMatrix, Graph, Linear, Node, Sparse, signed_inputs
from slth.graph.bases import Dense
from slth.graph.ops import AxisMap


def drawn(rng, rows, columns, density):
    """A random one, with rows and columns of zeros, and the same as an array."""
    dense = rng.normal(size=(rows, columns)) * (rng.random((rows, columns)) < density)
    places = np.argwhere(dense)
    return Sparse.of(np.column_stack([places, dense[tuple(places.T)]]), rows, columns), dense


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_dense_matrix(seed):
    rng = np.random.default_rng(seed)
    sparse, dense = drawn(rng, 7, 5, (0.0, 0.2, 0.5, 1.0)[seed % 4])
    x = rng.normal(size=(2, 5, 3))
    assert (sparse.dense() == dense).all()
    assert np.allclose(sparse.along(x, 1), np.einsum("il,bld->bid", dense, x), rtol=0, atol=1e-14)
    assert np.allclose(sparse.sums(), dense.sum(1), rtol=0, atol=1e-14)
    assert (sparse.transposed().dense() == dense.T).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_norm_is_a_bound_and_of_no_sign_a_close_one(seed):
    sparse, dense = drawn(np.random.default_rng(seed), 30, 20, 0.2)
    true, sizes = np.linalg.norm(dense, 2), np.linalg.norm(np.abs(dense), 2)
    assert true * (1 - 1e-12) <= sizes * (1 - 1e-12) <= sparse_norm_bound(sparse) <= sizes * (1 + 1e-9)


def test_a_normalised_adjacency_has_norm_1():
    """Of any graph, in several pieces, too."""
    rng = np.random.default_rng(0)
    for members in (1, 10, 200):
        a = np.eye(members) + (rng.random((members, members)) < 1.0 / members)
        a = ((a + a.T) > 0).astype(float)
        places, degrees = np.argwhere(a), a.sum(1)
        value = 1 / np.sqrt(degrees[places[:, 0]] * degrees[places[:, 1]])
        bound = sparse_norm_bound(Sparse.of(np.column_stack([places, value]), members, members))
        assert 1 - 1e-12 <= bound <= 1 + 1e-3


@pytest.mark.parametrize(
    "entries",
    [[[0, 0, 1], [0, 0, 2]], [[1, 0, 1], [0, 1, 2]], [[0, 3, 1]], [[3, 0, 1]], [[-1, 0, 1]], [[0.5, 0, 1]],
     [[np.nan, 0, 1]], [[np.inf, 0, 1]], [[0, 1e300, 1]]],
)  # fmt: skip
def test_places_out_of_order_twice_or_outside_are_refused(entries):
    with pytest.raises(InputError, match="each place once and inside, in ascending order"):
        Sparse.of(np.array(entries, float), 3, 3)


def test_sizes_are_checked_before_numbers():
    with pytest.raises(InputError, match="carried as"):
        AxisMatrix(0, "sparse", length=3, value="a").rows(3, {"a": np.zeros((2, 2))})
    with pytest.raises(InputError, match="at most 16,777,216"):
        AxisMatrix(0, "sparse", length=2**25, value="a").rows(3, {"a": np.zeros((2, 3))})


def test_signs_pass_only_where_an_entry_leads():
    """Row 0 reads a negative number, row 1 reads none, row 2 has a negative entry, row 3 has none at all."""
    entries = np.array([[0, 0, 1.0], [1, 1, 2.0], [2, 1, -1.0]])
    nodes = (
        Node("graph", AxisMap((AxisMatrix(0, "sparse", length=4, value="a"),)), ("input",)),
        Node("map", Linear("map", Dense(4, 1), False), ("graph",)),
    )
    found = signed_inputs(Graph(nodes), (2,), np.array([True, False]), {"a": entries})
    assert found["map"].tolist() == [True, False, True, False]
