"""Exact tickets: how near a number must come, and what is claimed of a map once it is solved."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from slth._errors import InputError
from slth.certificate import Certificate, Exact, ExactMap, compared, prove, tolerances
from slth.construction.reach import Reach
from slth.construction.recipe import USUAL
from slth.graph import Affine, Linear, Realised, Target
from slth.numerics import FORMATS
from slth.ticket import MOST_MISSES, Miss, kinds_of

_SEPARATED = 16  # that much finer than what is reached, a number misses more often than not; a heuristic
_SEPARATED_ON_GRID = 2  # where sums lie on a grid, so that no finer one is reached but by chance


def exact_tolerances(op: Linear, wanted: Affine, kinds: ExactMap, carried: Mapping[str, np.ndarray]) -> np.ndarray:
    """How far each number of a map that is not 0 may be off, as its closest neighbours in the format allow.

    τ of the map is the least of them; none, if every number is 0, as no subset is. Of whole numbers a little less than
    half a step: their real bias is carried where that is too coarse.
    """
    weight, bias = tolerances(op, wanted, kinds, carried)
    parts = [weight[wanted.weight != 0]]
    if kinds.format in FORMATS and wanted.bias is not None and bias is not None:
        parts.append(bias[wanted.bias != 0])
    return np.concatenate(parts)


def check_separable(path: str, allowed: np.ndarray, reach: Reach) -> None:
    """Refuse a source whose sums come near hardly a number of a map.

    Args:
        allowed: how far each number may be off.

    Raises:
        InputError: more than half of the numbers would miss.
    """
    middle, finest, recipe = float(np.median(allowed)), reach.finest, reach.recipe
    separated = _SEPARATED_ON_GRID if reach.of_table else _SEPARATED
    if (recipe.source == USUAL.source and not reach.of_table) or middle * separated >= finest:
        return
    own = "mirrored pairs" if recipe.centred else f"the law {recipe.law}"
    sums, instead = f"sums of {own}, of one stage,", "leave law and centred out, or ask for a tolerance"
    if reach.of_table:
        sums, instead = reach.words, "carry the table, --embeddings carried, or ask for a tolerance"
    raise InputError(
        f"{path}: half of its numbers are themselves only within {middle:.2g}, and {sums} come as near as "
        f"{finest:.2g}, so that most would miss; {instead}"
    )


@dataclass(slots=True)
class Claims:
    """What is claimed of the maps of an exact ticket, while they are solved one by one."""

    target: Target
    carry_rest: bool
    maps: dict[str, ExactMap] = field(default_factory=dict[str, ExactMap])
    carried: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    misses: list[Miss] = field(default_factory=list[Miss])
    _kinds: Mapping[str, ExactMap] = field(init=False)

    def __post_init__(self) -> None:
        self._kinds = kinds_of(self.target)

    def add(self, path: str, found: Realised) -> None:
        """A map as it is realised."""
        op, wanted = self.target.graph.maps[path], self.target.coefficients[path]
        claim, extra = prove(
            path,
            op,
            wanted=wanted,
            found=found,
            kinds=self._kinds[path],
            carried=self.target.carried,
            carry_rest=self.carry_rest,
        )
        self.maps[path] = claim
        self.carried |= extra
        if claim.differ:
            carried = {**self.target.carried, **extra}
            off = compared(op, wanted, found, claim=claim, carried=carried)
            self.misses += _listed(path, op, wanted, found, (off.positive, off.negative, off.bias))

    def of(self, claims: Certificate) -> Exact:
        """All of them, in the order of the network."""
        return Exact({path: self.maps[path] for path in claims.maps}, self.target.tensors)


def _listed(
    path: str,
    op: Linear,
    wanted: Affine,
    found: Realised,
    off: tuple[np.ndarray, np.ndarray | None, np.ndarray | None],
) -> list[Miss]:
    """The first numbers of a map that are not the target's, half by half, input by input."""
    rows, basis = op.coefficients[0], op.basis
    misses: list[Miss] = []
    for half, wrong, errors in (
        ("positive", off[0], np.abs(found.positive - wanted.weight)),
        ("negative", off[1], None if found.negative is None else np.abs(found.negative + wanted.weight)),
    ):
        if wrong is None or errors is None:
            continue
        for input, row, tap in np.argwhere(wrong.transpose(1, 0, 2))[:MOST_MISSES].tolist():
            group = input * basis.groups // basis.inputs
            misses.append(Miss(path, group * rows + row, input, half, float(errors[row, input, tap]), tap))
    if off[2] is not None and wanted.bias is not None and found.bias is not None:
        error = np.abs(found.bias - wanted.bias)
        misses += [Miss(path, i, -1, "bias", float(error[i])) for i in np.flatnonzero(off[2])[:MOST_MISSES].tolist()]
    return misses[:MOST_MISSES]
