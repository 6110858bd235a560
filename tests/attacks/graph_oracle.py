"""Is everything that a ticket of version 2 says true? By the second readers of FORMAT.md, rational numbers and samples.

Values of networks at samples are those of `slth.graph.evaluation`, which brute force tests elsewhere; nothing here
scans, realises or certifies by `slth`.
"""

import itertools
import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
from helpers.graphs import values
from references import learned as learned_reader
from references import version2

from slth.graph import ConvTranspose, Linear, OneHot, Permutation, Realised, Target
from slth.ticket import Ticket, rewritten_for

_SAMPLES = 24
_NOISE = 1e-9  # of a float64 evaluation, relative: the samples can only refute what is clearly false


@np.errstate(over="ignore", invalid="ignore")  # what overflows is not refuted
def lies(data: bytes, ticket: Ticket, target: Target | None) -> list[str]:
    """Everything in a file that is found to be false."""
    if not ticket.gadgets:
        meta, _, heads, digests = learned_reader.read(data)
        wrong = [t["path"] for t, head in zip(meta["tensors"], heads, strict=True) if t["head"] != head]
        wrong += [t["path"] for t, digest in zip(meta["tensors"], digests, strict=True) if t["weights"] != digest]
        far = ticket.move_bound is not None and ticket.largest_move > ticket.move_bound
        return [f"{path}: head or weights" for path in wrong] + (["move_bound"] if far else [])
    meta, runs = version2.split(data)
    maps = version2.read(data)
    stored = {tensor["path"]: tensor for tensor in meta["tensors"]}
    found: list[str] = []
    for path, part in maps.items():
        gadget = meta["gadgets"][path]
        stated = [stage["neurons"] for stage in gadget.get("stages", [gadget])]
        found += [f"{path}: width"] if part.widths != stated else []
        found += [f"{name}: head" for name, head in part.heads.items() if stored[name]["head"] != head]
        halves = bool(gadget["signed"]) and gadget.get("lift") != "linear"
        found += [f"{path}: realised"] if part.digest(halves) != gadget["realised"] else []
    realised = {path: _realised(part, meta["gadgets"][path]) for path, part in maps.items()}
    own, x = SimpleNamespace(graph=ticket.network, carried=version2.carried(meta, runs)), _samples(ticket)
    seen = values(own, realised, x) if ticket.joined else {}
    found += _signs(ticket, seen)
    if target is None or ticket.claims is None:
        return found
    target = rewritten_for(ticket, target)
    if ticket.network.maps.keys() != target.coefficients.keys():
        return [*found, "other maps"]
    coefficients = {path: (affine.weight, affine.bias) for path, affine in target.coefficients.items()}
    if ticket.joined and target.original is None:
        nodes, shape = meta["network"]["nodes"], meta["inputs"]["shape"]
        told = version2.graph_digest(shape, nodes, coefficients, target.carried)
        found += ["target digest"] if not _chain(nodes, shape) and told != meta["provenance"]["target"] else []
    errors = {path: _errors(realised[path], target, path) for path in maps}
    for path, wanted in errors.items():
        found += _map_lies(ticket, target, path, wanted)
        claimed = ticket.claims.maps[path].operator_error
        found += [f"{path}: norm"] if claimed < _norm(realised[path], target, path) * (1 - _NOISE) else []
    found += _asked_lies(ticket) + _miss_lies(ticket, errors)
    if ticket.joined and ticket.inputs.box is not None:
        found += _output_lies(ticket, target, seen, values(own, target.coefficients, x))
    return found


def _chain(nodes: list, shape: list) -> bool:
    """Such have the digest of version 1."""
    kinds = [node["op"]["kind"] + node["op"].get("function", "") for node in nodes]
    wanted = ["PointwiseRelu" if i % 2 else "Linear" for i in range(len(nodes))]
    dense = all(node["op"]["basis"]["kind"] == "Dense" for node in nodes if node["op"]["kind"] == "Linear")
    return len(shape) == 1 and kinds == wanted and len(nodes) % 2 == 1 and dense


def _realised(part: version2.Map, gadget: dict) -> Realised:
    signed = np.zeros(gadget["shape"][1], np.bool_)
    for start, stop in gadget["signed"]:
        signed[start:stop] = True
    linear = gadget.get("lift") == "linear"
    negative = part.negative if signed.any() and not linear else None
    return Realised(part.positive, negative, part.bias, signed, linear=linear)


def _samples(ticket: Ticket) -> np.ndarray:
    """Corners and inner points of the box; of any numbers where there is none; tokens."""
    if ticket.inputs is None:
        return np.empty(0)
    rng, shape = np.random.default_rng(0), (_SAMPLES, *ticket.inputs.shape)
    if ticket.inputs.tokens is not None:
        return rng.integers(0, ticket.inputs.tokens, shape).astype(np.float64)
    if ticket.inputs.lower is None:
        return rng.normal(size=shape)
    mix = rng.random(shape)
    mix[::2] = mix[::2].round()
    lower, upper = (ticket.inputs.spread(end) for end in (ticket.inputs.lower, ticket.inputs.upper))
    return lower * (1 - mix) + upper * mix


def _signs(ticket: Ticket, seen: dict) -> list[str]:
    """No input of a map that is said to be never negative is."""
    found = []
    for node in ticket.network.nodes if seen else ():
        if isinstance(node.op, Linear) and not isinstance(node.op.basis, OneHot):  # a token is no entry of a vector
            x = seen[node.inputs[0]]
            axis = node.op.basis.channel_axis % (x.ndim - 1) + 1
            lowest = x.min(axis=tuple(i for i in range(x.ndim) if i != axis))
            signed = ticket.gadgets[node.op.map].signed(node.op)
            found += [f"{node.op.map}: a negative input"] if (lowest[~signed] < 0).any() else []
    return found


def _errors(part: Realised, target: Target, path: str) -> dict[tuple, Fraction]:
    """Exact error of each half of each coefficient (output, input, tap, half), and of each bias."""
    wanted, groups, found = target.coefficients[path], target.graph.maps[path].basis.groups, {}
    rows, inputs, taps = wanted.weight.shape
    for r, j, t in itertools.product(range(rows), range(inputs), range(taps)):
        w, o = Fraction(float(wanted.weight[r, j, t])), j * groups // inputs * rows + r
        found[o, j, t, "positive"] = abs(Fraction(float(part.positive[r, j, t])) - w)
        if part.negative is not None and part.signed[j]:
            found[o, j, t, "negative"] = abs(Fraction(float(part.negative[r, j, t])) + w)
    for o in range(0 if wanted.bias is None else len(wanted.bias)):
        found[o, -1, 0, "bias"] = abs(Fraction(float(part.bias[o])) - Fraction(float(wanted.bias[o])))
    return found


def _map_lies(ticket: Ticket, target: Target, path: str, errors: dict) -> list[str]:
    claim, basis = ticket.claims.maps[path], target.graph.maps[path].basis
    weights = max(e for (_, j, _, _), e in errors.items() if j >= 0)
    biases = max((e for (_, j, _, _), e in errors.items() if j < 0), default=Fraction(0))
    missed = sum(e > Fraction(claim.tolerance) for e in errors.values())
    squares: dict[tuple, float] = {}  # an output of a convolution, or an input of a transposed one, alone
    for (o, j, _, half), e in errors.items() if not isinstance(basis, Permutation) else ():
        if j >= 0:
            at = (j, half) if isinstance(basis, ConvTranspose) else (o,)
            squares[at] = squares.get(at, 0.0) + float(e) ** 2
    false = {
        "weight_error": Fraction(claim.weight_error) < weights,
        "bias_error": Fraction(claim.bias_error) < biases,
        "misses": claim.misses < missed,
        "operator_error": claim.operator_error < math.sqrt(max(squares.values(), default=0)) * (1 - _NOISE),
    }
    return [f"{path}: {name}" for name, wrong in false.items() if wrong]


def _norm(part: Realised, target: Target, path: str) -> float:
    """Of errors that several members share, as one matrix of both halves; of other maps 0, see `_map_lies`."""
    basis, wanted = target.graph.maps[path].basis, target.coefficients[path].weight
    if not isinstance(basis, Permutation):
        return 0.0
    halves = [part.positive - wanted]
    if part.negative is not None:
        halves.append(np.where(part.signed[:, None], part.negative + wanted, 0.0))
    shape = (*(basis.members,) * basis.reads, basis.inputs)
    size = math.prod(shape)
    matrices = [basis.apply(half, np.eye(size).reshape(size, *shape)).reshape(size, -1) for half in halves]
    return float(np.linalg.norm(np.concatenate(matrices), 2))


def _asked_lies(ticket: Ticket) -> list[str]:
    """The one question is answered."""
    asked, claims = ticket.provenance.asked, ticket.claims
    gains = {path: gadget.gain for path, gadget in ticket.gadgets.items()}
    tolerance, relative, epsilon = (asked.get(key) for key in ("tolerance", "relative_tolerance", "epsilon"))
    found = [] if asked.get("exact") is None else ["exact"]
    for path, claim in claims.maps.items():
        if tolerance is not None and claim.tolerance != tolerance:
            found.append(f"{path}: tolerance")
        if relative is not None and claim.tolerance / gains[path] != relative:
            found.append(f"{path}: relative_tolerance")
    if epsilon is not None and (claims.sup_error is None or claims.sup_error > epsilon):
        found.append("epsilon")
    return found


def _miss_lies(ticket: Ticket, errors: dict) -> list[str]:
    found = []
    for miss in ticket.provenance.misses:
        error = errors[miss.map].get((miss.output, miss.input, miss.tap, miss.half))
        tolerance = Fraction(ticket.claims.maps[miss.map].tolerance)
        if error is None or error <= tolerance or abs(error - Fraction(miss.error)) > error * Fraction(_NOISE):
            found.append(f"a miss at {miss}")
    listed = [miss.map for miss in ticket.provenance.misses]
    return found + [
        f"{path}: misses" for path, claim in ticket.claims.maps.items() if listed.count(path) > claim.misses
    ]


def _output_lies(ticket: Ticket, target: Target, ours: dict, theirs: dict) -> list[str]:
    """Both networks at the samples, at every node of a map and at the end."""
    claims, output = ticket.claims, ticket.network.output
    spoken = [(node.name, node.op.map, claims.maps[node.op.map]) for node in ticket.network.nodes if
              isinstance(node.op, Linear)]  # fmt: skip
    found = []
    for name, what, claim in (*spoken, (output, "network", claims)):
        if claim.sup_error is None:
            continue
        off = (ours[name] - theirs[name]).reshape(_SAMPLES, -1)
        room = _NOISE * (1 + max(np.abs(ours[name]).max(), np.abs(theirs[name]).max()))
        found += [f"{what}: sup_error"] if np.abs(off).max() > claim.sup_error + room else []
        found += [f"{what}: l2_error"] if np.linalg.norm(off, axis=1).max() > claim.l2_error + room else []
        if what == "network":
            each = np.repeat(claims.output_error, off.shape[1] // len(claims.output_error))
            found += ["output_error"] if (np.abs(off).max(axis=0) > each + room).any() else []
    return found
