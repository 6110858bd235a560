"""How many parameters one linear neuron needs: weights of a ball or of a box; any subnetwork, or one density."""

import math
from decimal import Decimal

from slth.theory._counting import product, written
from slth.theory._packing import linear_bounds
from slth.theory._theorem import Letter

_LETTERS = {"d": Letter(meaning="inputs of the neuron", whole=True, least=1, most=10**4, trend="rises")}


def _ball(*, d: int, epsilon: float, delta: float) -> Decimal:
    return product((1 - written(delta), 1), (1 / written(epsilon), d))


def _box(*, d: int, epsilon: float, delta: float) -> Decimal:
    """A box of side 2 against the ball of the sum norm, of volume (2 epsilon)^d / d!."""
    return product((1 - written(delta), 1), (1 / written(epsilon), d), (math.factorial(d), 1))


PACKING_NEURON, PACKING_NEURON_FIXED = linear_bounds(
    name="packing-neuron",
    title="parameters for one linear neuron, its weights in the Euclidean ball",
    targets="each x -> <w, x> with ||w||_2 <= 1 is approximated to within epsilon on ||x||_2 <= 1",
    count="(1 / epsilon)^d",
    letters=_LETTERS,
    needed=_ball,
)
PACKING_NEURON_BOX, PACKING_NEURON_BOX_FIXED = linear_bounds(
    name="packing-neuron-box",
    title="parameters for one linear neuron, its weights in a box",
    targets="each x -> <w, x> with max |w| <= 1 is approximated to within epsilon on the inputs max |x| <= 1",
    count="d! (1 / epsilon)^d",
    letters=_LETTERS,
    needed=_box,
)
