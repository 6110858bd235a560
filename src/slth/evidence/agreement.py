"""What a ticket claims must agree with itself and with what was asked for: no target is needed to see that.

Every number of a certificate is an upper bound, so a smaller one can only be false, never at odds with the others, but
for four things: the largest output is one of the outputs; misses are counted, so that a list of them and their number
tell on each other; a coefficient that misses is off by more than its tolerance, and by no more than the largest; and
the question that was asked is answered.
"""

from collections.abc import Iterator

from slth.certificate import Certificate, Exact
from slth.ticket import MOST_MISSES, Miss, Ticket


def disagreements(ticket: Ticket) -> list[str]:
    """One sentence for each pair of claims that cannot stand side by side, none if there is none."""
    claims = ticket.claims
    if claims is None:
        return []
    return [*_of_outputs(claims), *_of_misses(ticket, claims), *_unanswered(ticket, claims)]


def _of_outputs(claims: Certificate) -> Iterator[str]:
    """sup = max over the outputs."""
    largest = max(claims.output_error or (0.0,))
    if claims.sup_error is not None and claims.sup_error < largest:
        yield f"the network's sup error is claimed to be {claims.sup_error}, less than that of an output, {largest}"


def _of_misses(ticket: Ticket, claims: Certificate) -> Iterator[str]:
    """All misses are listed, or as many as a ticket lists; each is one, of a map that counts as many."""
    listed = ticket.provenance.misses
    if claims.exact is not None:
        yield from _of_differing(listed, claims.exact)
        return
    wanted = min(claims.misses, MOST_MISSES)
    if len(listed) != wanted:
        yield f"{len(listed):,} misses are listed where {claims.misses:,} are counted; expected a list of {wanted:,}"
    for path, claim in claims.maps.items():
        own = [miss for miss in listed if miss.map == path]
        if len(own) > claim.misses:
            yield f"{path}: {len(own):,} misses are listed, {claim.misses:,} are counted"
        if claim.misses and max(claim.weight_error, claim.bias_error) <= claim.tolerance:
            yield f"{path}: {claim.misses:,} misses are counted, but no error above the tolerance is claimed"
        for miss in own:
            largest = claim.bias_error if miss.half == "bias" else claim.weight_error
            if not claim.tolerance < miss.error <= largest:
                yield (
                    f"{name_of_miss(miss)} is listed as missed by {miss.error!r}; expected more than the tolerance "
                    f"{claim.tolerance!r}, and at most the largest error, {largest!r}"
                )


def _of_differing(listed: tuple[Miss, ...], exact: Exact) -> Iterator[str]:
    """Of an exact ticket the numbers that differ are listed, or as many as a ticket lists."""
    wanted = min(exact.differ, MOST_MISSES)
    if len(listed) != wanted:
        yield f"{len(listed):,} numbers are listed where {exact.differ:,} differ; expected a list of {wanted:,}"
    for path, claim in exact.maps.items():
        own = sum(miss.map == path for miss in listed)
        if own > claim.differ:
            yield f"{path}: {own:,} numbers are listed, {claim.differ:,} differ"


def _unanswered(ticket: Ticket, claims: Certificate) -> Iterator[str]:
    """What was asked for is claimed: every tolerance, every tolerance over its map's gain, the network's error."""
    asked = ticket.provenance.asked
    tolerance, relative, epsilon = (asked.get(key) for key in ("tolerance", "relative_tolerance", "epsilon"))
    if tolerance is not None and any(claimed != tolerance for claimed in claims.tolerances.values()):
        yield "a map counts its misses against another tolerance than was asked for"
    if relative is not None and any(
        claims.tolerances[path] / gadget.gain != relative for path, gadget in ticket.gadgets.items()
    ):
        yield "a map counts its misses against another tolerance than was asked for, relative to its gain"
    if epsilon is not None and (claims.sup_error is None or claims.sup_error > epsilon):
        yield f"the network's error was asked to be at most {epsilon}; the ticket claims more"
    if asked.get("exact") is not None and claims.exact is None:
        yield "the target itself was asked for; the ticket does not claim to be it"
    candidates = asked.get("candidates")
    if candidates is not None and any(
        gadget.candidates != candidates * gadget.stage_count for gadget in ticket.gadgets.values()
    ):
        yield f"{candidates} candidates for each coefficient were asked for; a map has another number of them"


def name_of_miss(miss: Miss) -> str:
    """A coefficient for people."""
    tap = f", tap {miss.tap}" if miss.tap else ""
    place = f"bias {miss.output}" if miss.input < 0 else f"weight {miss.output, miss.input}{tap}"
    return f"{miss.map}: {place}" if miss.half == "bias" else f"{miss.map}: the {miss.half} half of {place}"
