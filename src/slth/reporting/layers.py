"""The table of layers: what each random layer is, and how far its realisation can be off."""

from collections.abc import Mapping

from slth.certificate import MapClaim
from slth.reporting.facts import Facts
from slth.reporting.html import Html, at_most, join, number, percent, table, tag
from slth.ticket import Ticket, TwoLayer


def layers(ticket: Ticket, facts: Facts) -> Html:
    """One row per layer: what the random layer is, and how far its realisation can be off."""
    bounds = [claim.sup_error for claim in _claims(ticket).values()]
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


def weight_error(claim: MapClaim) -> float:
    """Stored bounds have 2⁻²⁰ of room; without a miss, which is decided exactly, the tolerance is a bound, too."""
    return claim.weight_error if claim.misses else min(claim.weight_error, claim.tolerance)


def bias_error(claim: MapClaim) -> float:
    """The same for biases."""
    return claim.bias_error if claim.misses else min(claim.bias_error, claim.tolerance)


def _claims(ticket: Ticket) -> Mapping[str, MapClaim]:
    return {} if ticket.claims is None else ticket.claims.maps


def _shapes(ticket: Ticket, facts: Facts) -> Html:
    head = ["layer", "weights", "out × in", "gain", "candidates", "lift width", "density", "misses"]
    rows: list[list[str]] = []
    for i, (path, op) in enumerate(ticket.maps.items()):
        gadget, bits = ticket.gadgets[path], ticket.gadgets[path].cost(op).mask_bits
        if not isinstance(gadget, TwoLayer):
            continue
        names = ticket.provenance.names.get(path, (path, None))
        taps = f" × {op.basis.taps}" if op.basis.taps > 1 else ""
        rows.append(
            [
                str(i),
                names[0],
                f"{op.basis.outputs:,} × {op.basis.inputs // op.basis.groups:,}{taps}",
                f"{gadget.gain:g}" + (f", {gadget.bias_gain:g}" if op.bias else ""),
                str(gadget.candidates) + (f", {gadget.constants}" if op.bias else ""),
                f"{gadget.neurons:,}",
                percent(facts.maps[path].edges / bits),
                f"{_claims(ticket)[path].misses:,}",
            ]
        )
    return table(head, rows, label="The random layers", words=2)


def _bounds(ticket: Ticket) -> Html:
    head = ["layer", "tolerance", "weight error", "bias error", "operator error", "sup bound", "ℓ₂ bound"]
    rows = [
        [
            str(i),
            number(claim.tolerance),
            at_most(weight_error(claim)),
            at_most(bias_error(claim)) if ticket.maps[path].bias else "–",
            at_most(claim.operator_error),
            "–" if claim.sup_error is None else at_most(claim.sup_error),
            "–" if claim.l2_error is None else at_most(claim.l2_error),
        ]
        for i, (path, claim) in enumerate(_claims(ticket).items())
    ]
    return table(head, rows, label="How far each layer can be off")
