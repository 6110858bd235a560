"""Is everything a ticket says true? Decided by the second reader of FORMAT.md, rational numbers and samples.

Shares with `slth` the streams and the ticket's own record, and nothing that scans, realises or certifies.
"""

from fractions import Fraction

import numpy as np
from references.constructed import coefficients, realised_digest, scan, target_digest

from slth.graph import Affine, Target
from slth.ticket import Ticket

Errors = dict[tuple[int, int, str], Fraction]  # (output, input, half) -> |realised - wanted|
_SAMPLES = 48
_NOISE = 1e-9  # of a float64 evaluation, relative; the samples can only refute what is clearly false


def lies(ticket: Ticket, target: Target) -> list[str]:
    """Everything found to be false; without an input range nothing is asked of the outputs."""
    found: list[str] = []
    parts = {}
    for path, op in ticket.maps.items():
        gadget = ticket.gadgets[path]
        served, neurons, heads = scan(ticket.seed, path, gadget.lift_spec(op), op.basis.outputs)
        if neurons != gadget.neurons:
            found.append(f"{path} has {neurons} neurons")
            return found
        stated = [ticket.heads[tensor.path] for tensor in ticket.tensors if tensor.path.startswith(f"{path}/")]
        found += [f"{path}: head {k}" for k, (ours, head) in enumerate(zip(stated, heads, strict=True)) if ours != head]
        parts[path] = coefficients(ticket, path, served)
        if realised_digest(*parts[path]) != ticket.digests[path]:
            found.append(f"{path}: realised digest")
    if ticket.provenance.target != target_digest(target.coefficients):
        found.append("target digest")
    errors = {path: _errors(ticket, path, parts[path], wanted) for path, wanted in target.coefficients.items()}
    for path, wanted in target.coefficients.items():
        found += _map_lies(ticket, path, parts[path], wanted, errors[path])
    epsilon, bounds = ticket.provenance.asked["epsilon"], ticket.claims
    if epsilon is not None and (bounds.sup_error is None or bounds.sup_error > epsilon):
        found.append("epsilon")
    if ticket.inputs.lower is not None and bounds.sup_error is not None:
        found += _output_lies(ticket, parts, target)
    return found + _miss_lies(ticket, errors)


def _errors(ticket: Ticket, path: str, part, wanted: Affine) -> Errors:
    """Exact error of each half of each weight, and of each bias."""
    positive, negative, bias = part
    signed = [j for start, stop in ticket.gadgets[path].signed_ranges for j in range(start, stop)]
    found = {}
    for o in range(positive.shape[0]):
        for j in range(positive.shape[1]):
            w = Fraction(float(wanted.weight[o, j, 0]))
            found[o, j, "positive"] = abs(Fraction(float(positive[o, j])) - w)
            if negative is not None and j in signed:
                found[o, j, "negative"] = abs(Fraction(float(negative[o, j])) + w)
        if bias is not None and wanted.bias is not None:
            found[o, -1, "bias"] = abs(Fraction(float(bias[o])) - Fraction(float(wanted.bias[o])))
    return found


def _map_lies(ticket: Ticket, path: str, part, wanted: Affine, errors: Errors) -> list[str]:
    claim = ticket.claims.maps[path]
    weights = max(e for (_, j, _), e in errors.items() if j >= 0)
    biases = max([e for (_, j, _), e in errors.items() if j < 0], default=Fraction(0))
    missed = sum(e > Fraction(claim.tolerance) for e in errors.values())
    joined = [part[0] - wanted.weight[:, :, 0]]
    if part[1] is not None:
        signed = np.zeros(part[0].shape[1], bool)
        for start, stop in ticket.gadgets[path].signed_ranges:
            signed[start:stop] = True
        joined.append(np.where(signed, part[1] + wanted.weight[:, :, 0], 0.0))
    norm = np.linalg.norm(np.hstack(joined), 2)
    asked = ticket.provenance.asked["tolerance"]
    false = {
        "weight_error": Fraction(claim.weight_error) < weights,
        "bias_error": Fraction(claim.bias_error) < biases,
        "misses": claim.misses < missed,
        "operator_error": claim.operator_error < norm * (1 - _NOISE),
        "tolerance": asked is not None and claim.tolerance != asked,
    }
    return [f"{path}: {name}" for name, wrong in false.items() if wrong]


@np.errstate(over="ignore", invalid="ignore")  # what overflows is not refuted
def _output_lies(ticket: Ticket, parts, target: Target) -> list[str]:
    """Corners and inner points of the box, through both networks."""
    inputs = ticket.inputs.shape
    lower, upper = (np.broadcast_to(np.asarray(end), inputs) for end in (ticket.inputs.lower, ticket.inputs.upper))
    rng = np.random.default_rng(0)
    mix = rng.random((_SAMPLES, *inputs))
    mix[::2] = mix[::2].round()
    x = y = lower * (1 - mix) + upper * mix
    found: list[str] = []
    for path, wanted in target.coefficients.items():
        positive, negative, bias = parts[path]
        x = x @ wanted.weight[:, :, 0].T + (0 if wanted.bias is None else wanted.bias)
        less = 0 if negative is None else np.maximum(-y, 0) @ negative.T
        y = np.maximum(y, 0) @ positive.T + less + (0 if bias is None else bias)
        size = 1 + max(np.abs(x).max(), np.abs(y).max())
        claims = [(path, ticket.claims.maps[path].sup_error, ticket.claims.maps[path].l2_error)]
        if path == list(parts)[-1]:
            claims.append(("network", ticket.claims.sup_error, ticket.claims.l2_error))
            each = np.abs(y - x).max(axis=0)
            if (each > np.asarray(ticket.claims.output_error) + _NOISE * size).any():
                found.append("output_error")
        for where, sup, l2 in claims:
            if np.abs(y - x).max() > sup + _NOISE * size:
                found.append(f"{where}: sup_error")
            if np.linalg.norm((y - x) / size, axis=1).max() > l2 / size + _NOISE:  # no square overflows
                found.append(f"{where}: l2_error")
        x, y = np.maximum(x, 0), np.maximum(y, 0)
    return found


def _miss_lies(ticket: Ticket, errors: dict[str, Errors]) -> list[str]:
    found: list[str] = []
    for miss in ticket.provenance.misses:
        error = errors[miss.map].get((miss.output, miss.input, miss.half))
        tolerance = Fraction(ticket.claims.maps[miss.map].tolerance)
        if error is None or error <= tolerance or abs(error - Fraction(miss.error)) > error * Fraction(_NOISE):
            found.append(f"a miss at {miss}")
    for path, claim in ticket.claims.maps.items():
        if sum(miss.map == path for miss in ticket.provenance.misses) > claim.misses:
            found.append(f"{path}: more misses listed than counted")
    return found
