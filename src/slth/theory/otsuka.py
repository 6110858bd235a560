"""Multi-head attention and transformers without normalisation (Otsuka et al., 2026)."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit
from slth.theory.pensia import C as DENSE

_C = Constant(
    meaning="universal, the source gives no value",
    value=8.0,
    standing=Standing.FITTED,
    note="n / d products u v that reach all of [-1, 1] to within the theorem's tolerance of one entry, each of heads "
    "d^2 entries failing at most epsilon / (2 heads d^2) of the time; 40,000 runs, d = 1 ... 4, heads 1 ... 4, "
    "where the logarithm's argument is at least 10: at most 7.8 (values, d = 1, heads 4, epsilon = 0.8), 4.8 "
    "where it is at least 400",
)
_LETTERS = {
    "d": Letter(meaning="entries of a token", whole=True, least=1, most=10**6, trend="rises"),
    "d_out": Letter(meaning="entries of an output", default="d", whole=True, least=1, most=10**6, trend="rises"),
    "heads": Letter(meaning="heads", default=1, whole=True, least=1, most=10**6, trend="rises"),
    "alpha": Letter(meaning="the largest norm of a token", above=0, most=1e9, trend="rises"),
    "epsilon": Letter(
        meaning="the largest error of an output, and the chance of failure", above=0, below=1, trend="falls"
    ),
}


def _long(at: Mapping[str, Number]) -> bool:
    return at["alpha"] ** 2 >= max(at["d"], at["d_out"]) * (1 - 1e-12)


_COMMON: dict[str, Any] = {
    "unit": Unit.NEURONS,
    "direction": Direction.SUFFICIENT,
    "constants": {"C": _C},
    "sources": ("otsuka2026",),
    "against": "epsilon",
}
_FITTED = Assumption(
    says="2 heads alpha d / epsilon is at least 10, as where C was fitted",
    holds=lambda at: 2 * at["heads"] * at["alpha"] * at["d"] / at["epsilon"] >= 10,
)
_ASSUMES = (
    _FITTED,
    Assumption(says="alpha is at least sqrt(d) and sqrt(d_out)", holds=_long),
    Assumption(says="every projection of the target has spectral norm at most 1"),
    Assumption(says="query and key weights are uniform on [-n^(1/4), n^(1/4)], value and output weights on [-1, 1]"),
)
_SAYS = (
    "If every head of a random attention has n_K >= C d ln(8 heads alpha^3 d^(3/2) / epsilon) query and key entries "
    "and n_V >= C d ln(2 heads alpha d sqrt(d_out) / epsilon) value entries, masks on its four projections bring "
    "every output within epsilon of the target's, with probability at least 1 - epsilon, for any length and "
    "attention mask. "
)


def _neurons(d: int, inner: float, c: float) -> Number:
    return least_whole(c * d * math.log(inner))


def _keys(*, d: int, d_out: int, heads: int, alpha: float, epsilon: float, C: float) -> Number:
    del d_out
    return _neurons(d, 8 * heads * alpha**3 * d**1.5 / epsilon, C)


def _values(*, d: int, d_out: int, heads: int, alpha: float, epsilon: float, C: float) -> Number:
    return _neurons(d, 2 * heads * alpha * d * math.sqrt(d_out) / epsilon, C)


def _attention(name: str, title: str, gives: str, value: Callable[..., Number], note: str) -> Theorem:
    def candidates(**at: Any) -> Number:
        return math.ceil(value(**at) / at["d"])

    return Theorem(
        name=name,
        title=title,
        says=_SAYS + f"This is {gives.partition(',')[0]}.",
        gives=gives,
        letters=_LETTERS,
        assumes=_ASSUMES,
        place="Theorem 3",
        value=value,
        also={Unit.CANDIDATES: candidates},
        note=note,
        measured="Published: one head, angular velocities: error 0.8 exp(-0.06 n) at n_K = n_V = n from 10 to 100, "
        "bounded for lengths 8 to 8192. Here the mean error, n from 10 to 80, falls like exp(-0.33 n), and from 8 to "
        "8,192 tokens it falls, too (`slth reproduce attention`).",
        **_COMMON,
    )


OTSUKA = _attention(
    "otsuka",
    "attention: entries of queries and keys",
    "n_K, query and key entries of each head",
    _keys,
    "Linear: no ReLU between the two matrices, so that every product serves and no sign is split. The source has no "
    "more layers than the target.",
)
OTSUKA_VALUES = _attention(
    "otsuka-values",
    "attention: entries of values",
    "n_V, value entries of each head",
    _values,
    "Its logarithm is smaller than that of queries and keys: no softmax amplifies the error.",
)


def _block(*, d: int, heads: int, alpha: float, epsilon: float, C: float) -> Number:
    return _neurons(d, 32 * alpha**3 * heads * d**1.5 / epsilon, C)


def _dense(*, d: int, heads: int, alpha: float, layers: int, epsilon: float, C: float) -> Number:
    return _neurons(d, 24 * alpha * layers * heads * d**2.5 / epsilon, C)


_BLOCK_SAYS = (
    "One transformer block without normalisation, x + attention, then y + F(y), F a ReLU network of twice the "
    "target's depth: n_MHA >= C d ln(32 alpha^3 heads d^(3/2) / epsilon) and n_FC >= C d ln(24 alpha layers heads "
    "d^(5/2) / epsilon) suffice for an error of epsilon, with probability at least 1 - epsilon. "
)
_BLOCK_ASSUMES = (
    Assumption(says="alpha is at least sqrt(d)", holds=lambda at: at["alpha"] ** 2 >= at["d"] * (1 - 1e-12)),
    Assumption(says="there is no normalisation (with one the question is open)"),
    _FITTED,
    *_ASSUMES[2:],
)
_BLOCK_LETTERS = {name: letter for name, letter in _LETTERS.items() if name != "d_out"}

OTSUKA_BLOCK = Theorem(
    name="otsuka-block",
    title="a transformer block: entries of its attention",
    says=_BLOCK_SAYS + "This is n_MHA.",
    gives="n_MHA, entries of queries, keys and values of each head",
    letters=_BLOCK_LETTERS,
    assumes=_BLOCK_ASSUMES,
    place="Theorem 11",
    value=_block,
    note="Several blocks (Theorems 6 and 14) have exponents quadratic in their number.",
    **_COMMON,
)

OTSUKA_BLOCK_DENSE = Theorem(
    name="otsuka-block-dense",
    title="a transformer block: neurons of its dense part",
    says=_BLOCK_SAYS + "This is n_FC.",
    gives="n_FC, hidden neurons before each dense layer",
    letters={
        **_BLOCK_LETTERS,
        "layers": Letter(
            meaning="dense layers of the target's block", default=2, whole=True, least=1, most=10**6, trend="rises"
        ),
    },
    assumes=_BLOCK_ASSUMES,
    place="Theorem 11",
    value=_dense,
    note="Behind the attention inputs have two signs, and the dense part is Pensia's: its constant is `pensia`'s, "
    "larger than that of linear products.",
    unit=Unit.NEURONS,
    direction=Direction.SUFFICIENT,
    constants={"C": DENSE},
    sources=("otsuka2026",),
    against="epsilon",
)
