r"""Linear maps of sets and of pairs that commute with every permutation of the n members, each coefficient one of them.

$$y_o = \sum_j \sum_t C[o, j, t]\, B_t(x_j) + b_o$$

with one B_t for each partition of the input's and the output's positions, see `partitions`: of sets the identity and
the mean (Zaheer et al., 2017), of pairs 15 (Maron et al., 2019, 1812.09902), of which at n = 2 and 3 only 8 and 14 are
independent: there several coefficients realise one map. Sums are divided by 1, n, n², so that each B_t takes means: an
output lies between the bounds of the entries. Channels are the last axis: (n, channels), (n, n, channels).

The norm is that of a few small matrices, exactly. The arrays of order k split into irreducible representations of the
permutations; on m copies of one, B_t acts as an m × m matrix $M_t$ on the copies alone (Schur), so that
$\lVert\sum_t C_t \otimes B_t\rVert_2 = \max_\lambda \lVert\sum_t C_t \otimes M_t^\lambda\rVert_2$: of sets
max(‖C₀‖, ‖C₀ + C₁‖). There are at most four kinds: constants, one number for each member, symmetric and
antisymmetric pairs without row sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from slth._errors import InputError
from slth._shapes import Coefficient
from slth.graph.bases.basis import Shape, TapBounds
from slth.graph.bases.partitions import free, gathered, partitions, spread
from slth.numerics import Parts, above, matrix_rule, matrix_work, norm_bound, spectral_norm_bound

MOST_PAIRS = 1024  # members of an order of 2


@dataclass(frozen=True, slots=True)
class Permutation:
    """An equivariant layer of order `reads` -> `writes`; order 0 is one value for all members.

    >>> basis = Permutation(1, 1, reads=1, writes=1, members=3)
    >>> basis.apply(np.array([[[1.0, 10.0]]]), np.array([[[0.0], [1.0], [2.0]]]))
    array([[[10.],
            [11.],
            [12.]]])
    """

    inputs: int
    outputs: int
    reads: int  # 1 or 2
    writes: int  # 0, 1 or 2
    members: int  # n

    def __post_init__(self) -> None:
        if self.reads not in (1, 2) or self.writes not in (0, 1, 2):
            raise InputError(f"expected a map of order 1 or 2 to order 0, 1 or 2; got {self.reads} to {self.writes}")
        if min(self.inputs, self.outputs, self.members) < 1:
            raise InputError(f"expected at least one channel and one member; got {self}")
        if max(self.reads, self.writes) == 2 and self.members > MOST_PAIRS:
            raise InputError(f"expected at most {MOST_PAIRS:,} members for maps of pairs; got {self.members:,}")

    @property
    def groups(self) -> int:
        """One: every output reads every input."""
        return 1

    @property
    def taps(self) -> int:
        """Partitions."""
        return len(partitions(self.reads, self.writes))

    @property
    def channel_axis(self) -> int:
        """The last one."""
        return -1

    def stencils(self) -> tuple[tuple[int, ...], ...]:
        """On the diagonal of pairs all taps, elsewhere those that are not 0 there."""
        listed = partitions(self.reads, self.writes)
        everywhere = tuple(t for t, (_, out) in enumerate(listed) if len(set(out)) == len(out))
        apart = self.writes < 2 or self.members == 1
        every = tuple(range(len(listed)))
        return (every,) if apart else (everywhere, every)

    @property
    def pads(self) -> bool:
        """Never."""
        return False

    @property
    def tap_bounds(self) -> TapBounds:
        """Pairs can repeat an entry for all members; several taps may read one entry, each takes a mean of n or n²."""
        listed = partitions(self.reads, self.writes)
        return TapBounds(
            norm=self.members**0.5 if self.writes == 2 else 1.0,
            row_norm=self.taps**0.5,
            summed=max(self.members ** free(tap) for tap in listed),
        )

    def shape(self, inputs: Shape) -> Shape:
        """(n, ..., outputs) of (n, ..., inputs)."""
        if inputs != (*(self.members,) * self.reads, self.inputs):
            expected = ", ".join(map(str, (*(self.members,) * self.reads, self.inputs)))
            raise InputError(
                f"a map of {self.members} members, inputs ({expected}), was given values of shape {inputs}"
            )
        return (*(self.members,) * self.writes, self.outputs)

    def apply(self, coefficients: Coefficient, x: np.ndarray) -> np.ndarray:
        """(batch, n, ..., inputs) -> (batch, n, ..., outputs)."""
        y = np.zeros((len(x), *self.shape(x.shape[1:])))
        for t, tap in enumerate(partitions(self.reads, self.writes)):
            y += spread(np, gathered(np, x, tap) @ coefficients[:, :, t].T, tap, self.members)
        return y

    @property
    def norms(self) -> str:
        """By what the Gram matrix of the largest small matrix costs."""
        return matrix_rule(self.outputs * self._copies(self.writes), self.inputs * self._copies(self.reads))

    def norm_work(self, by: str | None = None) -> float:
        """That of Gram matrices and their proofs."""
        return 2 * matrix_work(
            self.outputs * self._copies(self.writes), self.inputs * self._copies(self.reads), blocks=1
        )

    def norm(self, coefficients: Coefficient | Parts, by: str | None = None) -> float:
        """The largest over the kinds; the small matrices are off by rounding, for which there is room."""
        c = coefficients.whole() if isinstance(coefficients, Parts) else coefficients
        rows, inputs, taps = c.shape
        largest = 0.0
        for small in small_matrices(self.reads, self.writes, self.members):
            _, into, out = small.shape
            whole = np.einsum("oit,tba->boai", c, small).reshape(into * rows, out * inputs)
            largest = max(largest, spectral_norm_bound(whole))
        if largest == 0.0 and not c.any():
            return 0.0
        off = 2.0**-53 * (4 * self.members ** max(self.reads, self.writes) + 16 * taps + 64)
        room = off * 3 * self.tap_bounds.norm * taps**0.5 * float(norm_bound(c.reshape(-1)))
        return float(above(largest + room, 2))

    def _copies(self, order: int) -> int:
        return (1, 1, 3)[order]


@lru_cache(maxsize=64)
def small_matrices(reads: int, writes: int, members: int) -> tuple[np.ndarray, ...]:
    """By kind the M_t, (tap, copies in the output, copies in the input); kinds without either are left out."""
    found: list[np.ndarray] = []
    for sources, results in zip(_copies(reads, members), _copies(writes, members), strict=True):
        if not sources or not results:
            continue
        m = np.zeros((len(partitions(reads, writes)), len(results), len(sources)))
        for t, tap in enumerate(partitions(reads, writes)):
            for a, x in enumerate(sources):
                y = spread(np, gathered(np, x[None, ..., None], tap), tap, members)[0, ..., 0]
                m[t, :, a] = [float((np.broadcast_to(y, f.shape) * f).sum()) for f in results]
        found.append(m)
    return tuple(found)


def _copies(order: int, n: int) -> Sequence[Sequence[np.ndarray]]:
    """One unit vector in every copy of a kind, all orthogonal: constants, numbers, symmetric, antisymmetric."""
    one, v = np.ones(n), np.zeros(n)
    v[:2] = (1, -1)[:n]
    numbers = [] if n == 1 else [v]
    if order == 0:
        return [[np.ones(())], [], [], []]
    if order == 1:
        return [_units([one]), _units(numbers), [], []]
    apart = 1.0 - np.eye(n)
    sums, gaps = (v[:, None] + v) * apart, (v[:, None] - v) * apart
    symmetric, turning = np.zeros((n, n)), np.zeros((n, n))
    if n >= 4:
        for i, j, value in ((0, 1, 1), (2, 3, 1), (0, 2, -1), (1, 3, -1)):
            symmetric[i, j] = symmetric[j, i] = value
    if n >= 3:
        for i, j in ((0, 1), (1, 2), (2, 0)):
            turning[i, j], turning[j, i] = 1, -1
    each = [np.diag(v), sums, gaps] if n > 1 else []
    return [_units([np.eye(n), apart]), _units(each), _units([symmetric]), _units([turning])]


def _units(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Those that are not 0, divided by their norms."""
    return [array / np.linalg.norm(array) for array in arrays if array.any()]
