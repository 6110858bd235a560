"""Is everything a ticket says true? Decided by the second reader of FORMAT.md, rational numbers and samples.

Shares with `slth` the streams and the ticket's own record, and nothing that scans, realises or certifies.
"""

from fractions import Fraction

import numpy as np
from references.constructed import coefficients, realised_digest, scan, target_digest

from slth.certificate import Affine
from slth.ticket import Ticket

Errors = dict[tuple[int, int, str], Fraction]  # (output, input, half) -> |realised - wanted|
_SAMPLES = 48
_NOISE = 1e-9  # of a float64 evaluation, relative; the samples can only refute what is clearly false


def lies(ticket: Ticket, target: list[Affine]) -> list[str]:
    """Everything found to be false; without an input range nothing is asked of the outputs."""
    found: list[str] = []
    parts = []
    for i, layer in enumerate(ticket.layers):
        served, neurons, heads = scan(ticket.seed, layer.path, layer.lift, layer.outputs)
        if neurons != layer.neurons:
            found.append(f"{layer.path} has {neurons} neurons")
            return found
        at = sum(len(before.tensors) for before in ticket.layers[:i])
        found += [f"{layer.path}: head {k}" for k, head in enumerate(heads) if ticket.heads[at + k] != head]
        parts.append(coefficients(ticket, i, served))
        if realised_digest(*parts[-1]) != ticket.digests[i]:
            found.append(f"{layer.path}: realised digest")
    if ticket.provenance.target != target_digest(target):
        found.append("target digest")
    errors = [_errors(ticket, i, part, wanted) for i, (part, wanted) in enumerate(zip(parts, target, strict=True))]
    for i, (part, wanted) in enumerate(zip(parts, target, strict=True)):
        found += _layer_lies(ticket, i, part, wanted, errors[i])
    asked, bounds = ticket.provenance.asked, ticket.certificate
    if asked.epsilon is not None and (bounds.sup_error is None or bounds.sup_error > asked.epsilon):
        found.append("epsilon")
    if ticket.domain.lower is not None and bounds.sup_error is not None:
        found += _output_lies(ticket, parts, target)
    return found + _miss_lies(ticket, errors)


def _errors(ticket: Ticket, i: int, part, wanted: Affine) -> Errors:
    """Exact error of each half of each weight, and of each bias."""
    positive, negative, bias = part
    signed = [j for start, stop in ticket.layers[i].lift.signed for j in range(start, stop)]
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


def _layer_lies(ticket: Ticket, i: int, part, wanted: Affine, errors: Errors) -> list[str]:
    claim = ticket.certificate.layers[i]
    weights = max(e for (_, j, _), e in errors.items() if j >= 0)
    biases = max([e for (_, j, _), e in errors.items() if j < 0], default=Fraction(0))
    missed = sum(e > Fraction(claim.tolerance) for e in errors.values())
    joined = [part[0] - wanted.weight[:, :, 0]]
    if part[1] is not None:
        signed = np.zeros(part[0].shape[1], bool)
        for start, stop in ticket.layers[i].lift.signed:
            signed[start:stop] = True
        joined.append(np.where(signed, part[1] + wanted.weight[:, :, 0], 0.0))
    norm = np.linalg.norm(np.hstack(joined), 2)
    asked = ticket.provenance.asked.tolerance
    false = {
        "weight_error": Fraction(claim.weight_error) < weights,
        "bias_error": Fraction(claim.bias_error) < biases,
        "misses": claim.misses < missed,
        "operator_error": claim.operator_error < norm * (1 - _NOISE),
        "tolerance": asked is not None and claim.tolerance != asked,
    }
    return [f"layer {i}: {name}" for name, wrong in false.items() if wrong]


@np.errstate(over="ignore", invalid="ignore")  # what overflows is not refuted
def _output_lies(ticket: Ticket, parts, target: list[Affine]) -> list[str]:
    """Corners and inner points of the box, through both networks."""
    inputs = target[0].weight.shape[1]
    lower, upper = (np.broadcast_to(np.asarray(end), inputs) for end in (ticket.domain.lower, ticket.domain.upper))
    rng = np.random.default_rng(0)
    mix = rng.random((_SAMPLES, inputs))
    mix[::2] = mix[::2].round()
    x = y = lower * (1 - mix) + upper * mix
    found: list[str] = []
    for i, ((positive, negative, bias), wanted) in enumerate(zip(parts, target, strict=True)):
        x = x @ wanted.weight[:, :, 0].T + (0 if wanted.bias is None else wanted.bias)
        less = 0 if negative is None else np.maximum(-y, 0) @ negative.T
        y = np.maximum(y, 0) @ positive.T + less + (0 if bias is None else bias)
        size = 1 + max(np.abs(x).max(), np.abs(y).max())
        claims = [(i, ticket.certificate.layers[i].sup_error, ticket.certificate.layers[i].l2_error)]
        if i == len(parts) - 1:
            claims.append(("network", ticket.certificate.sup_error, ticket.certificate.l2_error))
            each = np.abs(y - x).max(axis=0)
            if (each > np.asarray(ticket.certificate.output_error) + _NOISE * size).any():
                found.append("output_error")
        for where, sup, l2 in claims:
            if np.abs(y - x).max() > sup + _NOISE * size:
                found.append(f"{where}: sup_error")
            if np.linalg.norm((y - x) / size, axis=1).max() > l2 / size + _NOISE:  # no square overflows
                found.append(f"{where}: l2_error")
        x, y = np.maximum(x, 0), np.maximum(y, 0)
    return found


def _miss_lies(ticket: Ticket, errors: list[Errors]) -> list[str]:
    found: list[str] = []
    for miss in ticket.provenance.misses:
        error = errors[miss.layer].get((miss.output, miss.input, miss.half))
        tolerance = Fraction(ticket.certificate.layers[miss.layer].tolerance)
        if error is None or error <= tolerance or abs(error - Fraction(miss.error)) > error * Fraction(_NOISE):
            found.append(f"a miss at {miss}")
    counts = [sum(miss.layer == i for miss in ticket.provenance.misses) for i in range(len(errors))]
    claims = ticket.certificate.layers
    return found + [f"layer {i}: more misses listed than counted" for i, n in enumerate(counts) if n > claims[i].misses]
