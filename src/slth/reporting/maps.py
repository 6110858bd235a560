"""The tables of maps: what each random pair of layers is, and how far what it realises can be off."""

from collections.abc import Mapping

from slth.certificate import MapClaim
from slth.graph import Linear
from slth.numerics import SPECTRAL
from slth.reporting import figures
from slth.reporting.facts import Facts
from slth.reporting.html import Html, at_most, join, number, percent, plural, table, tag
from slth.ticket import Gadget, Ticket, TwoLayer, kernel_of

_FEW = 4  # maps whose bounds need no picture
_MOST_ROWS = 1000


def maps(ticket: Ticket, facts: Facts) -> Html:
    """One row per map: what the random layers are, and how far what they realise can be off."""
    bounds = [claim.sup_error for claim in _claims(ticket).values()]
    text = (
        "Each linear map of the target became two random layers, a lift that copies its inputs and a mixing layer "
        "whose pruned rows add the copies up; or, of a gadget without a lift, pruned random weights side by side. "
    )
    if ticket.merged:
        text += "Of merged projections these two are the projections of the source: no layer more than the target has. "
    if bounds and bounds[0] is not None and bounds[-1] is not None and len(bounds) > 1:
        first, last = at_most(bounds[0]), at_most(bounds[-1])
        text += f"Behind the first map outputs are off by at most {first}, behind the last, with all before, by {last}."
    note = (
        "Gain and candidates: of weights, then of biases. Signed: input channels that can be negative; behind a ReLU "
        "their weights have two halves; a linear lift has none, and is one more linear layer. Kept: fraction of the "
        "candidates. All errors are upper bounds, rounded up. Operator error: spectral norm of the weights' errors. "
        "Sup and ℓ₂ bound: largest and Euclidean difference of the map's outputs, for every input of the range, "
        "earlier maps' errors included."
    )
    known = [bound for bound in bounds if bound is not None and bound > 0]
    drawn = Html()
    if len(known) > _FEW:
        picture = figures.growth(known, label="Bound on the outputs of each map")
        caption = tag("figcaption", "Bound on the outputs of each map, in the order of the maps.")
        drawn = tag("figure", caption, picture)
    rest = len(ticket.maps) - _MOST_ROWS
    more = tag("p", f"{plural(rest, 'further map')} not listed.", class_="note") if rest > 0 else Html()
    parts = [tag("p", text), drawn, _shapes(ticket, facts), _bounds(ticket), more, tag("p", note, class_="note")]
    return join(parts)


def weight_error(claim: MapClaim) -> float:
    """Stored bounds have 2⁻²⁰ of room; without a miss, which is decided exactly, the tolerance is a bound, too."""
    return claim.weight_error if claim.misses else min(claim.weight_error, claim.tolerance)


def bias_error(claim: MapClaim) -> float:
    """The same for biases."""
    return claim.bias_error if claim.misses else min(claim.bias_error, claim.tolerance)


def name_of(ticket: Ticket, path: str) -> str:
    """A map for people: of a chain the tensor of its weight, elsewhere its path."""
    names = ticket.provenance.names.get(path)
    return names[0] if names is not None and path.startswith("layers/") else path


def _claims(ticket: Ticket) -> Mapping[str, MapClaim]:
    return {} if ticket.claims is None else ticket.claims.maps


def _shapes(ticket: Ticket, facts: Facts) -> Html:
    head = ["", "map", "out × in", "gain", "candidates", "signed", "lift width", "kept", "misses"]
    rows: list[list[str]] = []
    for i, (path, op) in enumerate(list(ticket.maps.items())[:_MOST_ROWS]):
        gadget, bits = ticket.gadgets[path], ticket.gadgets[path].cost(op).mask_bits
        kernel = kernel_of(op)
        taps = f" × ({', '.join(map(str, kernel))})" if kernel else f" × {op.basis.taps}" * (op.basis.taps > 1)
        rows.append(
            [
                str(i),
                name_of(ticket, path),
                f"{op.basis.outputs:,} × {op.basis.inputs // op.basis.groups:,}{taps}",
                *_of_weights_and_biases(gadget, op),
                f"{int(gadget.signed(op).sum()):,} of {op.basis.inputs:,}",
                f"{gadget.neurons:,}" + (", linear" if gadget.linear else ""),
                percent(facts.maps[path].chosen / bits),
                f"{_claims(ticket)[path].misses:,}" if path in _claims(ticket) else "–",
            ]
        )
    return table(head, rows, label="The random layers of each map", words=2)


def _of_weights_and_biases(gadget: Gadget, op: Linear) -> tuple[str, str]:
    """Gains and candidates."""
    if not isinstance(gadget, TwoLayer):
        return f"{gadget.gain:g}", str(gadget.candidates)
    bias = op.bias
    gains = (f"{stage.gain:g}" + (f", {stage.bias_gain:g}" if bias else "") for stage in gadget.stages)
    candidates = (f"{stage.candidates}" + (f", {stage.constants}" if bias else "") for stage in gadget.stages)
    return "; ".join(gains), "; ".join(candidates)


def _bounds(ticket: Ticket) -> Html:
    head = ["", "map", "tolerance", "weight error", "bias error", "operator error", "sup bound", "ℓ₂ bound"]
    rows = [
        [
            str(i),
            name_of(ticket, path),
            number(claim.tolerance),
            at_most(weight_error(claim)),
            at_most(bias_error(claim)) if ticket.maps[path].bias else "–",
            at_most(claim.operator_error) + ("" if claim.norms == SPECTRAL else f" ({claim.norms})"),
            "–" if claim.sup_error is None else at_most(claim.sup_error),
            "–" if claim.l2_error is None else at_most(claim.l2_error),
        ]
        for i, (path, claim) in enumerate(list(_claims(ticket).items())[:_MOST_ROWS])
    ]
    return table(head, rows, label="How far each map can be off", words=2)
