"""Tickets of one target beside quantisers of its weights: bits against error and accuracy."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from slth._errors import InputError
from slth.certificate import certify
from slth.evidence.rivals import Rival, coded, gaussian_bound, rounded, seedlm
from slth.evidence.targets import matched_to
from slth.evidence.truth import truth_of
from slth.graph import Affine, Realised, Target, of_channels
from slth.records import Compared, Comparison
from slth.ticket import STEP, Ticket, file_sizes, network_digest, rewritten_for

_BATCH = 500
_BLOCKS = 256  # of SeedLM, which tries 65,535 seeds for each
_SEEDLM = ((8, 3), (12, 4))
_PLAIN = (8, 4, 3)  # bits of round to nearest
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """Inputs, what is known of them, and what the target gives."""

    inputs: np.ndarray
    y: np.ndarray | None
    outputs: np.ndarray
    sigmoid: bool


def compare(
    tickets: Mapping[str, Ticket],
    targets: Mapping[str, Target],
    *,
    inputs: np.ndarray | None = None,
    y: np.ndarray | None = None,
    data: str | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Every ticket, its masks, the coder that is as exact, round to nearest, SeedLM, the bound; see `rivals`.

    Args:
        tickets: constructed for one network, by name.
        targets: that network as each of them reads it, by the same names: an exact ticket reads it unfolded. The first
            is what quantisers are asked for.
        inputs, y, data: float32 (count, ...), what is known of them, and their name; without them no outputs.
        progress: called with (ways compared, all of them).

    Raises:
        InputError: no ticket, a learned one, one of merged projections, or of another network.
    """
    if not tickets:
        raise InputError("expected at least one ticket to compare")
    target = next(iter(targets.values()))
    for name, ticket in tickets.items():
        if ticket.claims is None:
            raise InputError(f"{name} is a learned ticket, which stands for no target; give tickets of slth construct")
        if ticket.merged:
            raise InputError(
                f"{name} has merged projections, products of the target's weights, and quantisers store those weights: "
                "errors of the two are not of the same numbers; compare a ticket of the gadget two-layer, and see with "
                "slth evaluate --target how far outputs of this one are off"
            )
        own = targets[name]
        found = matched_to(ticket, own)
        if isinstance(found, str):
            raise InputError(f"{name} is no ticket of this target: {found}")
        if ticket.provenance.target != network_digest(own, own.input_shape):
            raise InputError(f"{name} is no ticket of this target: it was made for one with other numbers")
    measured = None if inputs is None else _measured(target, inputs, y)
    total = len(tickets) + len(_PLAIN) + len(_SEEDLM)
    rows: list[Compared] = []
    for name, ticket in tickets.items():
        rows += _of_ticket(name, ticket, targets[name], measured)
        if progress is not None:
            progress(len(rows), total)
    rows += [_of_rival(rounded(target, bits), target, measured) for bits in _PLAIN]
    rows += _of_seedlm(target)
    ours = [row for row in rows if row.kind == "ticket"]
    return Comparison(
        target=network_digest(target, target.input_shape),
        parameters=target.graph.weights,
        data=data,
        rows=tuple(sorted(rows, key=lambda row: -row.bits)),
        verdicts=tuple(_verdict(row, rows) for row in ours),
    )


def _of_ticket(name: str, ticket: Ticket, target: Target, data: _Data | None) -> Iterator[Compared]:
    """The ticket, its packed masks alone, the coder at its tolerances, the Gaussian bound at its mean error."""
    parts: dict[str, Realised] = {}
    squares: dict[str, float] = {}
    largest: dict[str, float] = {}

    def realised(path: str) -> Realised:
        part = parts[path] = ticket.realised(path)
        wanted, copies = wide.coefficients[path], wide.copies.get(path, 1)
        found = part if copies == 1 else Affine(of_channels(part.positive, copies), part.bias)
        squares[path], largest[path] = _errors(
            wanted if copies == 1 else Affine(of_channels(wanted.weight, copies), wanted.bias), found
        )
        return part

    assert ticket.claims is not None
    wide = rewritten_for(ticket, target)
    box = None if ticket.inputs is None else ticket.inputs.box
    claims = certify(wide, realised, tolerances=ticket.claims.tolerances, box=box)
    parameters = target.graph.weights
    common = {"weight_error": max(largest.values()), "rms_error": _relative(target, squares)}
    row = Compared(name, "ticket", 8 * file_sizes(ticket).total / parameters, **common, claimed_error=claims.sup_error)
    yield _with_outputs(row, lambda: _outputs_of_ticket(ticket, parts, data), data)
    what, packed = "masks and moves" if ticket.moved else "masks", ticket.mask_bits + _move_bits(ticket)
    yield Compared(f"{name}: {what}, packed", "masks", packed / parameters, **common)
    tolerances = {path: max(error, 1e-300) for path, error in largest.items()}
    yield _of_rival(coded(target, tolerances, f"{name}: uniform + entropy coder, as exact"), target, data)
    bound = gaussian_bound(target, squares) / parameters
    yield Compared(f"{name}: Gaussian bound at its rms error", "bound", bound, rms_error=common["rms_error"])


def _move_bits(ticket: Ticket) -> int:
    """Of moves as whole numbers of steps, each from −s to s, s the largest: ⌈log₂(2s + 1)⌉ bits."""
    most = (int(np.abs(move).max(initial=0.0) / STEP) for move in ticket.moves.values())
    return sum(move.size * (2 * s).bit_length() for move, s in zip(ticket.moves.values(), most, strict=True))


def _of_rival(rival: Rival, target: Target, data: _Data | None) -> Compared:
    errors = {path: _errors(affine, rival.coefficients[path]) for path, affine in target.coefficients.items()}
    row = Compared(
        rival.name,
        "quantiser",
        rival.bits / target.graph.weights,
        weight_error=max(largest for _, largest in errors.values()),
        rms_error=_relative(target, {path: square for path, (square, _) in errors.items()}),
    )
    return _with_outputs(row, lambda: _outputs_of_target(replace(target, coefficients=rival.coefficients), data), data)


def _of_seedlm(target: Target) -> Iterator[Compared]:
    """Errors of a sample of blocks."""
    for columns, numbers in _SEEDLM:
        found = seedlm(target, columns=columns, numbers=numbers, most=_BLOCKS)
        if found.weights:
            name = f"{found.name} (of {found.weights:,} weights)"
            yield Compared(name, "quantiser", found.bits, rms_error=math.sqrt(found.error))


def _verdict(row: Compared, rows: Sequence[Compared]) -> str:
    """By how much a ticket loses, or wins."""
    coder = next(other for other in rows if other.name == f"{row.name}: uniform + entropy coder, as exact")
    more = row.bits - coder.bits
    what = f"loses {more:.1f} bits a weight" if more > 0 else f"wins {-more:.1f} bits a weight"
    return (
        f"{row.name} takes {row.bits:.1f} bits a weight; a uniform quantiser with an entropy coder that is as exact "
        f"takes {coder.bits:.1f}: the ticket {what}. It is a proof, and no compressor"
    )


def _errors(wanted: Affine, found: Realised | Affine) -> tuple[float, float]:
    """Mean square of the weights' errors, and the largest one, biases included."""
    pairs = [(found.positive if isinstance(found, Realised) else found.weight, wanted.weight)]
    if isinstance(found, Realised) and found.negative is not None:
        pairs.append((found.negative[:, found.signed], -wanted.weight[:, found.signed]))
    square = float(np.mean([((p - w) ** 2).mean() for p, w in pairs]))
    if wanted.bias is not None and found.bias is not None:
        pairs.append((found.bias, wanted.bias))
    return square, max(float(np.abs(p - w).max()) for p, w in pairs)


def _relative(target: Target, squares: Mapping[str, float]) -> float:
    """Root of Σ (p − w)² ÷ Σ w² over the weights of all maps."""
    sizes = {path: math.prod(affine.shape) for path, affine in target.coefficients.items()}
    whole = sum(float((affine.weight**2).sum()) for affine in target.coefficients.values())
    return math.sqrt(sum(squares[path] * size for path, size in sizes.items()) / whole) if whole else 0.0


def _measured(target: Target, inputs: np.ndarray, y: np.ndarray | None) -> _Data:
    from slth.network import ends_in_sigmoid, outputs, target_module

    module = target_module(target)
    return _Data(inputs, y, outputs(module, inputs, batch=_BATCH), ends_in_sigmoid(module))


def _outputs_of_target(target: Target, data: _Data | None) -> np.ndarray:
    from slth.network import outputs, target_module

    assert data is not None
    return outputs(target_module(target), data.inputs, batch=_BATCH)


def _outputs_of_ticket(ticket: Ticket, parts: Mapping[str, Realised], data: _Data | None) -> np.ndarray:
    from slth.network import outputs, realised_from

    assert data is not None
    return outputs(realised_from(ticket, parts.__getitem__), data.inputs, batch=_BATCH)


def _with_outputs(row: Compared, found: Callable[[], np.ndarray], data: _Data | None) -> Compared:
    """The row with what its outputs are on the data."""
    if data is None:
        return row
    ours = found()
    truth = truth_of(data.y, ours.shape, sigmoid=data.sigmoid)
    accuracy = None
    if truth.decision is not None and truth.y is not None:
        accuracy = float((truth.decision.classes(ours) == truth.y).mean())
    return replace(row, measured_error=float(np.abs(ours - data.outputs).max()), accuracy=accuracy)
