"""How many parameters one linear layer needs: its matrix in the spectral ball or in a box; any size, or one density."""

import math
from decimal import Decimal

from slth.theory._counting import product, written
from slth.theory._packing import linear_bounds
from slth.theory._theorem import Letter

_LETTERS = {
    "d": Letter(meaning="inputs of the layer", whole=True, least=1, most=10**4, trend="rises"),
    "d_out": Letter(meaning="outputs of the layer", whole=True, least=1, most=10**9, default="d", trend="rises"),
}


def _spectral(*, d: int, d_out: int, epsilon: float, delta: float) -> Decimal:
    return product((1 - written(delta), 1), (1 / written(epsilon), d * d_out))


def _box(*, d: int, d_out: int, epsilon: float, delta: float) -> Decimal:
    """A box of side 2 against rows that each lie in a ball of the sum norm, of volume (2 epsilon)^d / d!."""
    return product((1 - written(delta), 1), (1 / written(epsilon), d * d_out), (math.factorial(d), d_out))


PACKING_LAYER, PACKING_LAYER_FIXED = linear_bounds(
    name="packing-layer",
    title="parameters for one linear layer, its matrix in the spectral ball",
    targets="each x -> Wx, W a d_out x d matrix with ||W||_2 <= 1, is approximated to within epsilon, in the "
    "Euclidean norm, on ||x||_2 <= 1",
    count="(1 / epsilon)^(d d_out)",
    letters=_LETTERS,
    needed=_spectral,
)
PACKING_LAYER_BOX, PACKING_LAYER_BOX_FIXED = linear_bounds(
    name="packing-layer-box",
    title="parameters for one linear layer, its weights in a box",
    targets="each x -> Wx, W a d_out x d matrix with max |W| <= 1, is approximated to within epsilon, in every "
    "output, on the inputs max |x| <= 1",
    count="(d! (1 / epsilon)^d)^d_out",
    letters=_LETTERS,
    needed=_box,
)
