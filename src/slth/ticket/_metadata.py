"""Ticket <-> the plain data of its metadata, field by field (see FORMAT.md)."""

from collections.abc import Sequence
from typing import Any

from slth.certificate import Certificate
from slth.ticket._fields import (
    Fields,
    TicketError,
    as_ticket_errors,
    check_float,
    check_int,
    check_list,
    check_text,
    fail,
    justified,
)
from slth.ticket.lift import MOST_CANDIDATES, THRESHOLD, LiftSpec
from slth.ticket.spec import NETWORKS, Asked, Domain, LayerSpec, Miss, Provenance
from slth.ticket.ticket import Ticket

FORMAT = 1
STREAM = "philox4x32-10/v1"
ENCODINGS = ("bits", "rans", "deflate")  # of a mask; the last is read, never written
MOST_MISSES = 256  # listed; the certificate counts all
_SIZE = 2**40  # no dimension is larger
_HEX = 64


def metadata_of(ticket: Ticket, stored: Sequence[tuple[str, int]], digest: str) -> dict[str, Any]:
    """Plain data of a ticket; `stored` gives encoding and bytes of each layer's mask."""
    domain, origin = ticket.domain, ticket.provenance
    ends = None if domain.lower is None or domain.upper is None else [list(domain.lower), list(domain.upper)]
    return {
        "format": FORMAT,
        "digest": digest,
        "stream": STREAM,
        "seed": str(ticket.seed),
        "network": {
            "kind": "builtin",
            "name": ticket.network,
            "arguments": {
                "widths": list(ticket.widths),
                "bias": [layer.lift.constants > 0 for layer in ticket.layers],
            },
        },
        "domain": {"range": ends, "normalize": None if domain.normalize is None else list(domain.normalize)},
        "layers": [
            {
                "lift": {
                    "candidates": layer.lift.candidates,
                    "constants": layer.lift.constants,
                    "neurons": layer.neurons,
                    "signed": [list(pair) for pair in layer.lift.signed],
                    "threshold": THRESHOLD,
                },
                "gain": layer.gain,
                "bias_gain": layer.bias_gain,
                "mask": {"encoding": encoding, "bytes": size},
                "realised": realised,
            }
            for layer, realised, (encoding, size) in zip(ticket.layers, ticket.digests, stored, strict=True)
        ],
        "tensors": [
            {
                "path": tensor.path,
                "shape": list(tensor.shape),
                "law": tensor.law,
                "scale": tensor.scale,
                "mask": tensor.mask,
                "head": head,
            }
            for tensor, head in zip(ticket.tensors, ticket.heads, strict=True)
        ],
        "carried": [],
        "bounds": ticket.certificate.as_data(),
        "provenance": {
            "version": origin.version,
            "method": origin.method,
            "asked": {
                "tolerance": origin.asked.tolerance,
                "epsilon": origin.asked.epsilon,
                "failure_probability": origin.asked.failure_probability,
                "candidates": origin.asked.candidates,
            },
            "attempts": origin.attempts,
            "target": origin.target,
            "names": [list(pair) for pair in origin.names],
            "misses": [[m.layer, m.output, m.input, m.half, m.error] for m in origin.misses],
        },
    }


def ticket_of(data: Any, stored: int) -> tuple[Ticket, list[tuple[str, int]]]:
    """A validated ticket without its masks, and encoding and bytes of each layer's mask.

    Args:
        stored: bytes of masks that the file holds; nothing larger is allocated before the layers fit them.

    Raises:
        TicketError: one sentence naming the field, what was expected and what stands there.
    """
    with as_ticket_errors(300):
        return _ticket_of(data, stored)


def inflatable(layers: Sequence[LayerSpec], stored: int) -> bool:
    """The layers are no more work than the file's own mask bytes justify."""
    return justified(sum(layer.work for layer in layers), stored)


def _ticket_of(data: Any, stored: int) -> tuple[Ticket, list[tuple[str, int]]]:
    keys = [
        "format",
        "digest",
        "stream",
        "seed",
        "network",
        "domain",
        "layers",
        "tensors",
        "carried",
        "bounds",
        "provenance",
    ]
    top = Fields(data, "ticket", keys)
    top.fixed("stream", STREAM)
    top.fixed("carried", [])
    seed = read_seed(top)
    network, widths, biases = _network(top.get("network"))
    entries = top.items("layers", 10_000)
    if len(entries) != len(biases):
        raise TicketError(f"ticket.layers: expected {len(biases)} layers, as `network` says; got {len(entries)}")
    layers: list[LayerSpec] = []
    digests: list[str] = []
    encodings: list[tuple[str, int]] = []
    for i, entry in enumerate(entries):
        layer, realised, encoding = _layer(entry, i, widths[i], widths[i + 1], biases[i])
        layers.append(layer)
        digests.append(realised)
        encodings.append(encoding)
    if sum(size for _, size in encodings) != stored:
        raise TicketError("the file's layout does not follow from its metadata: its masks have other lengths")
    if not inflatable(layers, stored):
        raise TicketError("the masks claim to inflate to far more than the file holds; it was not written by slth")
    domain = _domain(top.get("domain"))
    expected = domain.signed(widths[0])
    for layer in layers[1:]:
        if layer.lift.signed:
            raise TicketError(f"{layer.path}: hidden activations are never negative, yet signed inputs are listed")
    if (layers[0].lift.signed_mask != expected).any():
        raise TicketError("layers/0: the signed inputs are not those that can be negative in the domain")
    certificate = _certificate(top.get("bounds"), layers, domain)
    ticket = Ticket(
        seed=seed,
        network=network,
        domain=domain,
        layers=tuple(layers),
        masks=(),
        heads=_heads(top.items("tensors", 3 * len(layers)), layers),
        digests=tuple(digests),
        certificate=certificate,
        provenance=_provenance(top.get("provenance"), layers),
    )
    return ticket, encodings


def _network(data: Any) -> tuple[str, list[int], list[bool]]:
    fields = Fields(data, "network", ["kind", "name", "arguments"])
    fields.fixed("kind", "builtin")
    name = fields.string("name")
    if name not in NETWORKS:
        fail("network.name", f"one of {', '.join(NETWORKS)}", name)
    arguments = Fields(fields.get("arguments"), "network.arguments", ["widths", "bias"])
    widths = [check_int(w, "network.arguments.widths", 1, _SIZE) for w in arguments.items("widths", 10_001)]
    biases = arguments.items("bias", 10_000)
    if len(biases) < 1 or len(widths) != len(biases) + 1 or any(type(bias) is not bool for bias in biases):
        raise TicketError("network.arguments: expected one true or false in `bias` per layer and one width more")
    return name, widths, biases


def _layer(data: Any, index: int, inputs: int, outputs: int, bias: bool) -> tuple[LayerSpec, str, tuple[str, int]]:
    where = f"layers/{index}"
    fields = Fields(data, where, ["lift", "gain", "bias_gain", "mask", "realised"])
    lift = Fields(fields.get("lift"), f"{where}.lift", ["candidates", "constants", "neurons", "signed", "threshold"])
    lift.fixed("threshold", THRESHOLD)
    signed: list[tuple[int, int]] = []
    last = -1
    for pair in lift.items("signed", inputs):
        ends = check_list(pair, f"{where}.lift.signed", 2)
        if len(ends) != 2:
            fail(f"{where}.lift.signed", "pairs [start, stop]", pair)
        start = check_int(ends[0], f"{where}.lift.signed", last + 1, inputs - 1)
        last = check_int(ends[1], f"{where}.lift.signed", start + 1, inputs)
        signed.append((start, last))
    spec = LiftSpec(
        inputs=inputs,
        candidates=lift.integer("candidates", 1, MOST_CANDIDATES),
        constants=lift.integer("constants", 1, MOST_CANDIDATES) if bias else lift.integer("constants", 0, 0),
        signed=tuple(signed),
    )
    layer = LayerSpec(
        path=where,
        outputs=outputs,
        taps=1,
        lift=spec,
        neurons=lift.integer("neurons", spec.live, 2**50),
        gain=_gain(fields, "gain", where),
        bias_gain=_gain(fields, "bias_gain", where),
    )
    mask = Fields(fields.get("mask"), f"{where}.mask", ["encoding", "bytes"])
    encoding = mask.string("encoding")
    if encoding not in ENCODINGS:
        fail(f"{where}.mask.encoding", f"one of {', '.join(ENCODINGS)}", encoding)
    size = mask.integer("bytes", 1, _SIZE)
    if encoding == "bits" and size != layer.mask_bytes:
        raise TicketError(f"{where}.mask: expected {layer.mask_bytes:,} bytes, as its layout needs; got {size:,}")
    return layer, read_digest(fields.get("realised"), f"{where}.realised"), (encoding, size)


def _gain(fields: Fields, key: str, where: str) -> float:
    gain = fields.number(key, 2.0**-200, 2.0**200)
    if gain.hex().split("p")[0] != "0x1.0000000000000":
        fail(f"{where}.{key}", "a power of two", gain)
    return gain


def read_seed(top: Fields) -> int:
    """The seed, a text of decimal digits."""
    text = top.string("seed", 100)
    if not text.isascii() or not text.isdecimal() or str(int(text)) != text:
        fail("ticket.seed", "a decimal integer", text)
    return int(text)


def read_digest(value: Any, where: str) -> str:
    """A SHA-256 in hexadecimal digits."""
    text = check_text(value, where, _HEX)
    if len(text) != _HEX or set(text) - set("0123456789abcdef"):
        fail(where, "64 hexadecimal digits", value)
    return text


def _domain(data: Any) -> Domain:
    fields = Fields(data, "domain", ["range", "normalize"])
    lower = upper = normalize = None
    if fields.get("range") is not None:
        ends = [check_list(end, "domain.range", _SIZE) for end in fields.items("range", 2)]
        if len(ends) != 2:
            fail("domain.range", "[lower, upper]", ends)
        lower, upper = (tuple(check_float(v, "domain.range") for v in end) for end in ends)
    if fields.get("normalize") is not None:
        pair = [check_float(v, "domain.normalize") for v in fields.items("normalize", 2)]
        if len(pair) != 2:
            fail("domain.normalize", "[mean, std]", pair)
        normalize = (pair[0], pair[1])
    return Domain(lower, upper, normalize)


def _heads(entries: list[Any], layers: list[LayerSpec]) -> tuple[str, ...]:
    """Path, shape, law, scale and mask kind must be those of the layout; the heads are checked by `verify`."""
    tensors = [tensor for layer in layers for tensor in layer.tensors]
    if len(entries) != len(tensors):
        raise TicketError(f"ticket.tensors: expected {len(tensors)} tensors; got {len(entries)}")
    heads: list[str] = []
    for entry, tensor in zip(entries, tensors, strict=True):
        fields = Fields(entry, f"tensors.{tensor.path}", ["path", "shape", "law", "scale", "mask", "head"])
        fields.fixed("path", tensor.path)
        fields.fixed("shape", list(tensor.shape))
        fields.fixed("law", tensor.law)
        fields.fixed("scale", tensor.scale)
        fields.fixed("mask", tensor.mask)
        heads.append(read_digest(fields.get("head"), f"tensors.{tensor.path}.head"))
    return tuple(heads)


def _asked(data: Any) -> Asked:
    fields = Fields(data, "provenance.asked", ["tolerance", "epsilon", "failure_probability", "candidates"])
    numbers = {
        key: None if fields.get(key) is None else fields.number(key, 0.0)
        for key in ("tolerance", "epsilon", "failure_probability")
    }
    candidates = None if fields.get("candidates") is None else fields.integer("candidates", 1, MOST_CANDIDATES)
    return Asked(**numbers, candidates=candidates)


def _certificate(data: Any, layers: list[LayerSpec], domain: Domain) -> Certificate:
    """Claims about these layers and this domain; whether they are true needs the target."""
    certificate = Certificate.from_data(data)
    if len(certificate.layers) != len(layers):
        raise TicketError(f"ticket.bounds: expected {len(layers)} layers; got {len(certificate.layers)}")
    for layer, claim in zip(layers, certificate.layers, strict=True):
        check_int(claim.misses, f"bounds.{layer.path}.misses", 0, layer.problems)
    if certificate.output_error is not None:
        if domain.lower is None:
            raise TicketError("ticket.bounds: errors are bounded over a domain, yet `domain` states no range")
        if len(certificate.output_error) != layers[-1].outputs:
            raise TicketError(f"ticket.bounds: expected {layers[-1].outputs} values in `output_error`, one per output")
    return certificate


def _names(pairs: list[Any], layers: list[LayerSpec]) -> tuple[tuple[str, str | None], ...]:
    """The target's tensor names: each stands once, so that no tensor is lost when they are written under them."""
    names: list[tuple[str, str | None]] = []
    for layer, pair in zip(layers, pairs, strict=False):
        both = check_list(pair, "provenance.names", 2)
        if len(both) != 2 or (both[1] is None) == (layer.lift.constants > 0):
            fail("provenance.names", "the names of weight and bias of every layer", pair)
        bias = None if both[1] is None else check_text(both[1], "provenance.names")
        names.append((check_text(both[0], "provenance.names"), bias))
    if len(names) != len(layers):
        raise TicketError(f"provenance.names: expected {len(layers)} pairs; got {len(names)}")
    used = [name for pair in names for name in pair if name is not None]
    if len(set(used)) != len(used) or "__metadata__" in used:
        raise TicketError("provenance.names: two tensors have one name, or one is called __metadata__")
    return tuple(names)


def _provenance(data: Any, layers: list[LayerSpec]) -> Provenance:
    fields = Fields(data, "provenance", ["version", "method", "asked", "attempts", "target", "names", "misses"])
    misses: list[Miss] = []
    for row in fields.items("misses", MOST_MISSES):
        cells = check_list(row, "provenance.misses", 5)
        if len(cells) != 5 or cells[3] not in ("positive", "negative", "bias"):
            fail("provenance.misses", "[layer, output, input, half, error]", row)
        layer = layers[check_int(cells[0], "provenance.misses", 0, len(layers) - 1)]
        misses.append(
            Miss(
                layer=cells[0],
                output=check_int(cells[1], "provenance.misses", 0, layer.outputs - 1),
                input=check_int(cells[2], "provenance.misses", -1, layer.lift.inputs - 1),
                half=cells[3],
                error=check_float(cells[4], "provenance.misses", 0.0),
            )
        )
    if len({(miss.layer, miss.output, miss.input, miss.half) for miss in misses}) != len(misses):
        raise TicketError("provenance.misses: one coefficient is listed twice")
    return Provenance(
        version=fields.string("version", 100),
        method=fields.string("method", 200),
        asked=_asked(fields.get("asked")),
        attempts=fields.integer("attempts", 1, 10**6),
        target=read_digest(fields.get("target"), "provenance.target"),
        names=_names(fields.items("names", len(layers)), layers),
        misses=tuple(misses),
    )
