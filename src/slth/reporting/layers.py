"""The table of layers: what each random layer is, and how far its realisation can be off."""

from slth.certificate import LayerClaim
from slth.reporting.facts import Facts
from slth.reporting.html import Html, at_most, join, number, percent, table, tag
from slth.ticket import Ticket


def layers(ticket: Ticket, facts: Facts) -> Html:
    """One row per layer: what the random layer is, and how far its realisation can be off."""
    bounds = [claim.sup_error for claim in ticket.certificate.layers]
    text = (
        "Each layer of the target became two random ones: a lift that copies its inputs, and a mixing layer whose "
        "pruned rows add the copies up. "
    )
    if bounds[0] is not None and bounds[-1] is not None and len(bounds) > 1:
        text += (
            f"Errors add up: at most {at_most(bounds[0])} after the first layer, {at_most(bounds[-1])} after the last."
        )
    note = (
        "Gain and candidates: of weights, then of biases. Density: kept fraction of the candidates. All errors are "
        "upper bounds, rounded up. Operator error: spectral norm of the weights' errors. Sup and ℓ₂ bound: largest and "
        "Euclidean difference of the layer's outputs before the activation, for every input of the range, earlier "
        "layers' errors included."
    )
    return join([tag("p", text), _shapes(ticket, facts), _bounds(ticket), tag("p", note, class_="note")])


def weight_error(claim: LayerClaim) -> float:
    """Stored bounds have 2⁻²⁰ of room; without a miss, which is decided exactly, the tolerance is a bound, too."""
    return claim.weight_error if claim.misses else min(claim.weight_error, claim.tolerance)


def bias_error(claim: LayerClaim) -> float:
    """The same for biases."""
    return claim.bias_error if claim.misses else min(claim.bias_error, claim.tolerance)


def _shapes(ticket: Ticket, facts: Facts) -> Html:
    head = ["layer", "weights", "out × in", "gain", "candidates", "lift width", "density", "misses"]
    rows = [
        [
            str(i),
            names[0],
            f"{spec.outputs:,} × {spec.lift.inputs:,}",
            f"{spec.gain:g}" + (f", {spec.bias_gain:g}" if spec.lift.constants else ""),
            str(spec.lift.candidates) + (f", {spec.lift.constants}" if spec.lift.constants else ""),
            f"{spec.neurons:,}",
            percent(count.edges / spec.mask_bits),
            f"{claim.misses:,}",
        ]
        for i, (spec, names, claim, count) in enumerate(
            zip(ticket.layers, ticket.provenance.names, ticket.certificate.layers, facts.layers, strict=True)
        )
    ]
    return table(head, rows, label="The random layers", words=2)


def _bounds(ticket: Ticket) -> Html:
    head = ["layer", "tolerance", "weight error", "bias error", "operator error", "sup bound", "ℓ₂ bound"]
    rows = [
        [
            str(i),
            number(claim.tolerance),
            at_most(weight_error(claim)),
            at_most(bias_error(claim)) if spec.lift.constants else "–",
            at_most(claim.operator_error),
            "–" if claim.sup_error is None else at_most(claim.sup_error),
            "–" if claim.l2_error is None else at_most(claim.l2_error),
        ]
        for i, (spec, claim) in enumerate(zip(ticket.layers, ticket.certificate.layers, strict=True))
    ]
    return table(head, rows, label="How far each layer can be off")
