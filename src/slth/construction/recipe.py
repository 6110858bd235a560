"""Which random numbers may be added up for a coefficient, and which subset is taken: what theorems differ in."""

from dataclasses import dataclass

from slth import _arguments
from slth._errors import InputError
from slth.construction.chances import CENTRED
from slth.construction.moved import STEP
from slth.construction.objective_chances import kept_of
from slth.numerics import source_law
from slth.records import verbs
from slth.ticket import GADGETS, MOST_CANDIDATES, Copies, Merged, Plain, SinglePlain, TwoLayer


@dataclass(frozen=True, slots=True)
class Recipe:
    """A gadget, an objective, and what they need to know.

    Raises:
        InputError: a name that is none; what belongs to another choice.
    """

    gadget: str = "two-layer"
    objective: str = ""  # "": the one that the gadget's theorem is best with
    density: float | None = None  # γ, of the objective exactly
    most_move: float | None = None  # of the objective moved
    law: str = "uniform"  # of the random numbers
    centred: bool = False  # mirrored pairs of them
    group_size: int | None = None  # s, outputs that one neuron serves, of the gadget neurons
    lift: str = ""  # of the gadget two-layer: relu or linear; "": linear where an input of the map can be negative

    def __post_init__(self) -> None:
        _arguments.one_of(self.gadget, GADGETS, "gadget")
        if not self.objective:
            object.__setattr__(self, "objective", "fewest" if self.gadget == Copies.kind else "within")
        verbs.check_objective(self.objective, self.density, self.most_move)
        if self.lift:
            self._check_lift()
        if self.group_size is not None and self.gadget != "neurons":
            raise InputError("a group size goes with the gadget neurons, whose neurons serve a group of outputs")
        if self.group_size is not None and self.group_size < 1:
            raise InputError(f"a neuron serves at least one output: --group-size from 1, got {self.group_size}")
        if self.density is not None and kept_of(self.density, MOST_CANDIDATES) == 0:
            raise InputError(
                f"a density of {self.density:g} keeps none of {MOST_CANDIDATES} candidates, the most there are; give "
                f"one of at least {1 / MOST_CANDIDATES:g}"
            )
        if self.most_move is not None and not STEP <= self.most_move <= 1:
            raise InputError(
                f"a largest move lies between {STEP:g}, one step of the grid of random numbers, and 1, beyond which "
                f"sums are not exact; got {self.most_move:g}"
            )
        source_law(self.law)

    def linear(self, *, signed: bool) -> bool:
        """Whether the lift of a map is linear; `signed`: some input of it can be negative."""
        return self.gadget in (TwoLayer.kind, Merged.kind) and (self.lift == "linear" or (not self.lift and signed))

    def halved(self, *, signed: bool) -> bool:
        """Whether a coefficient of a signed input is two problems: of plain numbers and a linear lift it is one."""
        return signed and self.gadget not in (Plain.kind, SinglePlain.kind) and not self.linear(signed=True)

    def _check_lift(self) -> None:
        _arguments.one_of(self.lift, verbs.LIFTS, "lift")
        if self.gadget in (Plain.kind, SinglePlain.kind):
            raise InputError(f"the gadget {self.gadget} has no lift; leave --lift out, or take the gadget two-layer")
        if self.gadget == Merged.kind:
            raise InputError("merged projections have linear lifts, and other maps where inputs have signs: no --lift")
        if self.gadget != TwoLayer.kind:
            raise InputError(
                f"the gadget {self.gadget} has the lift of its own theorem, with a ReLU; leave --lift out, or take the "
                "gadget two-layer"
            )

    @property
    def source(self) -> str:
        """What chances of a miss depend on: the law, or `centred`."""
        return CENTRED if self.centred else self.law


USUAL = Recipe()
