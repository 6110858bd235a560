"""An evaluation: a ticket measured on data, as a frozen row, and as the plain data of a record."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from slth._errors import InputError
from slth.certificate import Decision, Largest, Sign, Statistical
from slth.records.entries import count_or_none, counts, number_or_none, part_or_none, unfit, whole
from slth.records.measures import Errors, Proportion, errors_in, proportion_in


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the random network is, and what is kept of it. Fields about maps are empty where there are none."""

    source_parameters: int  # every entry of the random tensors
    kept: int  # entries that are not pruned
    density: float  # kept ÷ source parameters
    mask_bits: int  # before they are coded
    stored_mask_bits: int
    ideal_bits: float  # Σ N H₂(ones / N) over the masks: no coder that knows only the counts needs less
    carried: int  # numbers stored beside
    strong: bool  # nothing moved, and no number is carried that no stream made
    largest_move: float  # max |Δ|
    target_parameters: int | None = None
    kept_parameters: int | None = None  # surviving edges of lift and mixing, neurons without a kept edge removed
    candidates: tuple[int, ...] = ()  # of one half, per map
    widths: tuple[int, ...] = ()  # neurons of each random lift, dead ones included

    @property
    def bits_per_weight(self) -> float | None:
        """Mask bits per target parameter."""
        return None if self.target_parameters is None else self.mask_bits / self.target_parameters


@dataclass(frozen=True, slots=True)
class Evaluation:
    r"""A ticket measured on data; fields about the target are None without one.

    Classes: `accuracy`, where the data has labels, and what is said of changed predictions. Numbers: `errors`. Of f̂,
    the ticket, beside its target f, on n inputs with m outputs each, for any y:

    $$\mathrm{rms}(\hat f - y) \le \mathrm{rms}(f - y) + \mathrm{rms}(\hat f - f), \qquad
    \mathrm{rms}(\hat f - f) \le \min(\max_j |\hat f_j - f_j|, \lVert \hat f - f \rVert_2 / \sqrt m),$$

    the triangle inequality in nm dimensions, divided by √(nm); in the second the largest over the inputs.
    """

    data: str
    inputs: int
    sizes: Sizes
    decision: Decision | None  # what a prediction is; None: there are none, outputs are numbers
    positions: int = 1  # predictions for each input
    accuracy: Proportion | None = None  # over all predictions; None: no labels
    errors: Errors | None = None  # None: no numbers to hold the outputs against
    realised: str | None = None  # digest of what the ticket computes: it names the ticket
    target: str | None = None  # its digest
    target_accuracy: Proportion | None = None
    target_errors: Errors | None = None
    changed: int | None = None  # predictions that differ from the target's
    measured_error: float | None = None  # largest |f − f̂| of one output seen, both in float32
    certified_error: float | None = None  # bound on it in real arithmetic; without a target what the ticket says
    domain: str | None = None  # the inputs that the bound speaks of, for people
    unchanged_on_box: Proportion | None = None  # predictions that provably cannot change, by the bound over the domain
    unchanged_per_input: Proportion | None = None  # the same by evaluating both networks at each input
    rms_on_box: float | None = None  # without predictions: bound on rms(f̂ − f) for any inputs of the domain
    rms_per_input: float | None = None  # the same for these inputs, by evaluating both networks at each
    statistical: Statistical | None = None  # what `changed` says of the population that the data was drawn from

    @property
    def evaluated_by(self) -> str:
        """What the outputs are held against, and what was assumed, for people."""
        if self.decision is None:
            return "the error of its outputs" if self.errors else "the distance of the two networks: the data has no y"
        each = "" if self.positions == 1 else f", {self.positions:,} predictions for each input"
        match self.decision:
            case Largest(axis=None):
                text = "the largest output"
            case Largest():
                text = f"the largest output along axis {self.decision.axis}{each}"
            case Sign(threshold=0.0):
                text = f"the sign of the output: class 1 above 0{each}"
            case Sign():
                text = f"the output: class 1 above {self.decision.threshold:g}, as the network ends in a sigmoid{each}"
        return text if self.accuracy else f"{text}; assumed, as the data has no y"

    def as_data(self) -> dict[str, Any]:
        """The outcome of a record: proportions and errors with their interval."""
        outcome: dict[str, Any] = asdict(self) | {
            "decision": _decision_as_data(self.decision),
            "evaluated_by": self.evaluated_by,
        }
        for name in _PROPORTIONS:
            part = getattr(self, name)
            if part is not None:
                interval = list(part.interval) if self.positions == 1 else None
                outcome[name] |= {"value": part.value, "interval": interval}
        for name in ("errors", "target_errors"):
            part = getattr(self, name)
            outcome[name] = None if part is None else part.as_data()
        outcome["sizes"]["bits_per_weight"] = self.sizes.bits_per_weight
        return outcome


_PROPORTIONS = ("accuracy", "target_accuracy", "unchanged_on_box", "unchanged_per_input")


def read_evaluation(outcome: Mapping[str, Any]) -> Evaluation:
    """The inverse of `as_data`; what follows from other entries (value, interval) is not read.

    Raises:
        InputError: naming the entry that is missing or is no such number.
    """
    accuracy, early = proportion_in(outcome, "accuracy"), "decision" not in outcome
    if early and accuracy is None:
        raise InputError("an evaluation states an accuracy; this record lacks it: make it again with slth evaluate")
    realised, target = (outcome.get(name) for name in ("realised", "target"))
    return Evaluation(
        data=str(outcome.get("data")),
        inputs=accuracy.count if early and accuracy is not None else whole(outcome, "inputs"),
        sizes=_sizes(outcome),
        decision=Largest() if early else _decision(outcome),
        positions=1 if early else max(whole(outcome, "positions"), 1),
        accuracy=accuracy,
        errors=errors_in(outcome, "errors"),
        realised=None if realised is None else str(realised),
        target=None if target is None else str(target),
        target_accuracy=proportion_in(outcome, "target_accuracy"),
        target_errors=errors_in(outcome, "target_errors"),
        changed=count_or_none(outcome, "changed"),
        measured_error=number_or_none(outcome, "measured_error"),
        certified_error=number_or_none(outcome, "certified_error"),
        domain=None if outcome.get("domain") is None else str(outcome["domain"]),
        unchanged_on_box=proportion_in(outcome, "unchanged_on_box"),
        unchanged_per_input=proportion_in(outcome, "unchanged_per_input"),
        rms_on_box=number_or_none(outcome, "rms_on_box"),
        rms_per_input=number_or_none(outcome, "rms_per_input"),
        statistical=_statistical(outcome),
    )


def _decision_as_data(decision: Decision | None) -> dict[str, Any]:
    match decision:
        case None:
            return {"kind": "error"}
        case Largest(axis=axis):
            return {"kind": "largest", "axis": axis}
        case Sign(threshold=threshold):
            return {"kind": "sign", "threshold": threshold}


def _decision(outcome: Mapping[str, Any]) -> Decision | None:
    expected = "of kind 'largest' (with axis), 'sign' (with threshold) or 'error'"
    part = part_or_none(outcome, "decision", expected)
    match {} if part is None else dict(part):
        case {"kind": "error"}:
            return None
        case {"kind": "largest", "axis": None}:
            return Largest()
        case {"kind": "largest", "axis": int(axis)} if type(axis) is int:
            return Largest(axis)
        case {"kind": "sign", "threshold": int() | float() as threshold} if type(threshold) is not bool:
            return Sign(float(threshold))
        case _:
            raise unfit("decision", expected)


def _sizes(outcome: Mapping[str, Any]) -> Sizes:
    entries = part_or_none(outcome, "sizes", "counts")
    if entries is None:
        raise InputError("an evaluation has an entry 'sizes'; this record lacks it: make it again with slth evaluate")
    if type(entries.get("strong")) is not bool:
        raise unfit("strong", "true or false")
    return Sizes(
        source_parameters=whole(entries, "source_parameters"),
        kept=whole(entries, "kept"),
        density=number_or_none(entries, "density") or 0.0,
        mask_bits=whole(entries, "mask_bits"),
        stored_mask_bits=whole(entries, "stored_mask_bits"),
        ideal_bits=number_or_none(entries, "ideal_bits") or 0.0,
        carried=whole(entries, "carried"),
        strong=entries["strong"],
        largest_move=number_or_none(entries, "largest_move") or 0.0,
        target_parameters=count_or_none(entries, "target_parameters"),
        kept_parameters=count_or_none(entries, "kept_parameters"),
        candidates=counts(entries, "candidates"),
        widths=counts(entries, "widths"),
    )


def _statistical(outcome: Mapping[str, Any]) -> Statistical | None:
    """As its counts and confidence have it; records of earlier versions have none."""
    expected = "data, examples, changed, confidence and a share that they allow"
    part = part_or_none(outcome, "statistical", expected)
    if part is None:
        return None
    data, confidence, share = part.get("data"), number_or_none(part, "confidence"), number_or_none(part, "at_most")
    if not isinstance(data, str) or confidence is None or share is None:
        raise unfit("statistical", expected)
    try:
        found = Statistical(data, whole(part, "examples"), whole(part, "changed"), confidence, share)
    except InputError as error:
        raise unfit("statistical", expected) from error
    if not found.holds:
        raise unfit("statistical", expected)
    return found
