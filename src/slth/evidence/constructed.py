"""What a ticket of a target says: its layout and coefficients, which network it is for, every claim about it."""

from collections.abc import Iterable
from contextlib import suppress

import numpy as np

from slth._errors import InputError
from slth.certificate import Compared, compared, rechecked
from slth.evidence.agreement import disagreements, name_of_miss
from slth.evidence.differences import Differences
from slth.evidence.subject import Progress, Subject
from slth.evidence.targets import DIGEST_DIFFERS, matched_to, why_another
from slth.graph import Realised, Target
from slth.numerics import NORMS, SPECTRAL, at_most
from slth.records import Check, Verdict
from slth.ticket import Miss, Ticket, exactly_words, realised_digest, rest_count, rewritten_for

_MOST_TOLD = 16  # claims that do not agree, one by one


def check_maps(subject: Subject) -> Iterable[Check]:
    """Layout and coefficients of each map, and what is claimed of it: each is regenerated once, memory of one map."""
    if not subject.ticket.gadgets:
        return []
    ticket = subject.ticket
    regenerated, differences = _Regenerated(ticket, subject.progress, subject.threads), Differences(ticket)
    claims = list(_claims(subject, regenerated, differences))
    beside = [*_target(subject, differences), *claims]
    for path in ticket.maps:
        regenerated.check(path)
    return [*regenerated.checks, *beside]


class _Regenerated:
    """The maps of a ticket from seed and mask, one at a time; what is wrong with them is noted on the way."""

    def __init__(self, ticket: Ticket, progress: Progress | None, threads: int) -> None:
        self.ticket, self.progress, self.threads, self.wrong = ticket, progress, threads, dict[str, Check | None]()

    def check(self, path: str) -> None:
        """Layout and coefficients of a map, unless they are known."""
        if path not in self.wrong:
            with suppress(_NoLayoutError):
                self.realised(path)

    def realised(self, path: str) -> Realised:
        """The coefficients of a map."""
        ticket, op = self.ticket, self.ticket.maps[path]
        try:
            ticket.gadgets[path].check_layout(path, op, ticket.seed)
        except InputError as error:
            self.wrong[path] = Check("layout", Verdict.FAILS, str(error))
            raise _NoLayoutError from error
        try:
            found = ticket.realised(path, threads=self.threads)
        except InputError as error:
            name = "density" if exactly_words(ticket.gadgets[path]) else "coefficients"
            self.wrong[path] = Check(name, Verdict.FAILS, str(error))
            raise _NoLayoutError from error
        detail = f"{path}: seed and mask give other coefficients than the ticket states"
        differs = realised_digest(found) != ticket.digests[path]
        self.wrong[path] = Check("coefficients", Verdict.FAILS, detail) if differs else None
        if self.progress is not None:
            self.progress(sum(ticket.maps[known].weights for known in self.wrong), ticket.target_parameters)
        return found

    @property
    def checks(self) -> list[Check]:
        """What was found, in the order of the maps."""
        return [check for path in self.ticket.maps if (check := self.wrong[path]) is not None] or [
            Check("layout", Verdict.HOLDS, "every lift ends at its stated width"),
            Check("coefficients", Verdict.HOLDS, "seed and mask give the stated coefficients, bit for bit"),
            *self._density,
        ]

    @property
    def _density(self) -> list[Check]:
        """That coefficients keep exactly as many candidates as the ticket says, which `realised` found."""
        ticket = self.ticket
        sizes = [sizes for path in ticket.maps if (sizes := exactly_words(ticket.gadgets[path]))]
        if not sizes:
            return []
        words = ", ".join(dict.fromkeys(sizes))[:200]
        return [
            Check("density", Verdict.HOLDS, f"every coefficient keeps exactly as many candidates as stated: {words}")
        ]


class _NoLayoutError(Exception):
    """A map cannot be regenerated."""


def _target(subject: Subject, differences: Differences) -> Iterable[Check]:
    """Is it the network that the ticket was made for?"""
    ticket, target = subject.ticket, subject.target
    if ticket.claims is None:
        return []
    if target is None:
        return [Check("target", Verdict.NOT_CHECKED, Verdict.NOT_CHECKED.value)]
    why = why_another(ticket, target)
    if why is not None:
        words = differences.words if why == DIGEST_DIFFERS else ""
        return [Check("target", Verdict.FAILS, why + words)]
    return [
        Check(
            "target", Verdict.HOLDS, f"it is the network the ticket was made for, bit for bit{_merging(ticket, target)}"
        )
    ]


def _merging(ticket: Ticket, target: Target) -> str:
    """Claims about merged projections speak of their products in float64, where those are rounded."""
    if not ticket.merged:
        return ""
    lost = at_most(rewritten_for(ticket, target).rounding)
    return f"; claims speak of its projections merged in float64, each number within {lost} of the exact product"


def _claims(subject: Subject, regenerated: _Regenerated, differences: Differences) -> Iterable[Check]:
    """Everything the ticket claims about its target, recomputed; that claims agree, without one, too."""
    ticket, target, claims = subject.ticket, subject.target, subject.ticket.claims
    if claims is None:
        return []
    apart = [Check("claims", Verdict.FAILS, sentence) for sentence in disagreements(ticket)[:_MOST_TOLD]]
    if target is None:
        return apart or [Check("claims", Verdict.NOT_CHECKED, Verdict.NOT_CHECKED.value)]
    matched = matched_to(ticket, target)
    if isinstance(matched, str):
        return apart
    other = _other_numbers(ticket, matched)
    if other is not None:
        return [Check("claims", Verdict.FAILS, other)]
    false: list[str] = []

    def realised(path: str) -> Realised:
        found = regenerated.realised(path)
        least = claims.maps[path].tolerance if claims.exact is None else 0.0
        own = [miss for miss in ticket.provenance.misses if miss.map == path]
        if own:
            wanted, copies = matched.coefficients[path], ticket.copies.get(path, 1)
            numbers = wanted.kept, wanted.bias
            false.extend(wrong for miss in own for wrong in _false_miss(miss, least, numbers, found, copies=copies))
        if claims.exact is not None:
            false.extend(_other_count(path, ticket, matched, found))
        return found

    box = None if ticket.inputs is None else ticket.inputs.box
    try:
        recomputed = rechecked(claims, matched, realised, box=box)
    except _NoLayoutError:
        return [Check("claims", Verdict.FAILS, "a map cannot be regenerated, so no claim holds")]
    differences.find(matched, recomputed.maps)
    failed = [Check("claims", Verdict.FAILS, sentence) for sentence in (*recomputed.failed, *false)]
    if failed or apart:
        return [*failed, *apart]
    return [_all_hold(ticket, target), *_identity(ticket)]


def _all_hold(ticket: Ticket, target: Target) -> Check:
    """Every claim about weights, maps and network, in words."""
    claims = ticket.claims
    assert claims is not None
    unknown = "of outputs nothing is claimed: how the layers are joined is not known"
    whole = "no bound over a domain is claimed" if ticket.joined else unknown
    if claims.sup_error is not None and ticket.inputs is not None:
        whole = f"|f - ticket| <= {at_most(claims.sup_error, 4)} on every input, {ticket.inputs.words}"
    elif claims.stops:
        whole = f"claims stop at {', '.join(claims.stops)[:200]}, through which nothing is claimed"
    sentences = list(dict.fromkeys((*ticket.assumed, *target.assumed)))  # by the ticket, and in reading this target
    assumed = f", of the network that was assumed ({'; '.join(sentences)[:500]})" if sentences else ""
    looser = sorted({claim.norms for claim in claims.maps.values()} - {SPECTRAL}, key=NORMS.index)
    norms = f"; norms of large maps by {', '.join(looser)}" if looser else ""
    detail = f"every claim about weights, maps and network holds{assumed}; {whole}{norms}"
    return Check("claims", Verdict.HOLDS, detail)


def _other_numbers(ticket: Ticket, target: Target) -> str | None:
    """What a ticket carries of a target that this one has otherwise; of an exact ticket every tensor, to the bit."""
    exact = None if ticket.claims is None else ticket.claims.exact
    if exact is not None and dict(exact.tensors) != dict(target.tensors):
        names = {
            name for name in {*exact.tensors, *target.tensors} if exact.tensors.get(name) != target.tensors.get(name)
        }
        return f"the target has other tensors than the ticket gives back: {min(names)[:200]}, its format or shape"
    for name, values in target.carried.items():
        own = ticket.carried.get(name)
        same = own is not None and np.array_equal(values, own)
        if not same or (exact is not None and own is not None and (np.signbit(values) != np.signbit(own)).any()):
            return f"the target has other numbers than the ticket carries: {name[:200]}"
    return None


def _other_count(path: str, ticket: Ticket, target: Target, found: Realised) -> list[str]:
    """As many numbers of a map differ from the target's, in its own format, as an exact ticket counts."""
    assert ticket.claims is not None
    assert ticket.claims.exact is not None
    claim, wanted = ticket.claims.exact.maps[path], target.coefficients[path]
    try:
        beside = compared(ticket.maps[path], wanted, found, claim=claim, carried=ticket.carried)
    except InputError as error:
        return [f"{path}: {error}"]
    if beside.count != claim.differ:
        return [f"{path}: {beside.count:,} numbers are not the target's, bit for bit; it counts {claim.differ:,}"]
    listed = (miss for miss in ticket.provenance.misses if miss.map == path)
    return [
        f"{name_of_miss(miss)} is listed as another number than the target's, but is the same"
        for miss in listed
        if not _differs(miss, beside, rows=wanted.shape[0])
    ]


def _differs(miss: Miss, beside: Compared, *, rows: int) -> bool:
    """Whether a number that is listed is one of those that differ; halves that do not exist are told elsewhere."""
    half = {"positive": beside.positive, "negative": beside.negative, "bias": beside.bias}.get(miss.half)
    if half is None:
        return True
    return bool(half[miss.output] if miss.half == "bias" else half[miss.output % rows, miss.input, miss.tap])


def _identity(ticket: Ticket) -> list[Check]:
    """What an exact ticket is, once everything it claims was compared."""
    exact = None if ticket.claims is None else ticket.claims.exact
    if exact is None:
        return []
    formats = ", ".join(sorted({stored.format for stored in exact.tensors.values() if stored.part != "carried"}))
    count = f"{len(exact.tensors):,} tensors ({formats})"
    rest = rest_count(exact, ticket.carried)
    carried = f"; {rest:,} of them are carried, not sums of random numbers" if rest else ""
    if exact.differ:
        return [Check("exact", Verdict.HOLDS, f"of {count} all numbers but {exact.differ:,} are the target's{carried}")]
    return [Check("exact", Verdict.HOLDS, f"the ticket is the target: {count}, every number bit for bit{carried}")]


def _false_miss(
    miss: Miss, tolerance: float, wanted: tuple[np.ndarray, np.ndarray | None], got: Realised, *, copies: int
) -> list[str]:
    """A listed miss of a map must be one, with the error it states: of copies that of all of them together."""
    weight, bias = wanted
    at = (miss.output % len(weight), miss.input, miss.tap)
    if miss.half == "bias" and miss.input == -1 and bias is not None and got.bias is not None:
        error = abs(got.bias[miss.output] - bias[miss.output])
    elif copies > 1 and miss.half == "positive" and miss.input >= 0 and not miss.input % copies:
        row, channel, tap = at
        error = abs(got.positive[row, channel : channel + copies, tap].sum() - float(weight[at]))
    elif copies == 1 and miss.half == "positive" and miss.input >= 0:
        error = abs(got.positive[at] - float(weight[at]))
    elif (
        copies == 1
        and miss.half == "negative"
        and miss.input >= 0
        and got.negative is not None
        and got.signed[miss.input]
    ):
        error = abs(got.negative[at] + float(weight[at]))
    else:
        return [f"{miss.map}: a miss is listed for a {miss.half} half that does not exist"]
    if error != miss.error:
        return [f"{name_of_miss(miss)} is listed as missed by {miss.error}, not {error}"]
    return [] if error > tolerance else [f"{name_of_miss(miss)} is listed as missed, but is off by {error} alone"]
