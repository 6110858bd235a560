"""Small files that ask for much: memory, time or depth. All must be refused at a cost in proportion to the file."""

import itertools
import zlib
from collections.abc import Callable, Iterator

import references.rans
from attacks.sealing import changed, honest, parts, sealed, text_of

Case = tuple[str, Callable[[], bytes]]
_MIB = 1 << 20
_BITS = 144  # of the first mask of `honest()`


def bombs() -> Iterator[Case]:
    yield from _depth()
    yield from _breadth()
    yield from _numbers()
    yield from _inflation()
    yield from _work()


def _file(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header


def _depth() -> Iterator[Case]:
    """Nesting, in the outer header and in the metadata; around the recursion limit and far beyond."""
    meta, masks = parts(honest())
    tight = text_of(meta)
    for depth in (300, *range(900, 1001, 10), 100_000):
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            nest = opening * depth + "1" + closing * depth
            yield f"header {depth} deep in {opening}", lambda nest=nest: _file(nest.encode())
            for key in ('"carried":[]', '"domain":{', '"bounds":{'):
                text = tight.replace(key, f"{key[: key.index(':')]}:{nest}" + (',"x":{' if key[-1] == "{" else ""), 1)
                yield f"sealed {key} {depth} deep in {opening}", lambda text=text: sealed(None, masks, text=text)
    yield "header of 16 MiB of [", lambda: _file(b"[" * (16 * _MIB))
    yield "header of 16 MiB of {", lambda: _file(b'{"":' * (4 * _MIB))
    yield "sealed 8 MiB of [", lambda: sealed(None, masks, text=tight[:-1] + ',"x":' + "[" * (8 * _MIB))


def _breadth() -> Iterator[Case]:
    """Long lists, texts and tables."""
    meta, masks = parts(honest())
    many: dict[str, Callable[[], object]] = {
        "carried": lambda: [[]] * 500_000,
        "bounds.layers": lambda: [meta["bounds"]["layers"][0]] * 3_000,
        "bounds.output_error": lambda: [1.0] * 100_000,
        "domain.range": lambda: [[-1.0] * 100_000, [1.0] * 100_000],
        "layers.0.lift.signed": lambda: [[2 * i, 2 * i + 1] for i in range(100_000)],
        "layers": lambda: [meta["layers"][0]] * 10_000,
        "network.arguments.widths": lambda: [1] * 300_000,
        "network.arguments.bias": lambda: [True] * 300_000,
        "provenance.names": lambda: [["w", "b"]] * 100_000,
        "provenance.misses": lambda: [[0, 0, 0, "positive", 1.0]] * 30_000,
        "provenance.method": lambda: "m" * (4 * _MIB),
        "seed": lambda: "1" * _MIB,
        "tensors": lambda: [meta["tensors"][0]] * 20_000,
    }
    for path, value in many.items():
        yield f"sealed long {path}", lambda path=path, value=value: sealed(changed(meta, path, value()), masks)
    yield "sealed with many keys", lambda: sealed({**meta, **{f"k{i}": 0 for i in range(50_000)}}, masks)
    yield "header of 16 MiB of spaces", lambda: _file(b" " * (16 * _MIB))
    yield "header of 1 MiB of []", lambda: _file(b"[" + b"[]," * (_MIB // 3) + b"1]")
    yield "header of 2 MiB of keys", lambda: _file(b"{" + b'"":0,' * (2 * _MIB // 5) + b'"":0}')
    yield "header of 16 MiB of escapes", lambda: _file(b'"' + b"\\u0000" * (2 * _MIB) + b'"')


def _numbers() -> Iterator[Case]:
    """Numbers whose text takes quadratic time to read."""
    meta, masks = parts(honest())
    yield "header of 16 MiB of digits", lambda: _file(b"9" * (16 * _MIB))
    yield "header of many long integers", lambda: _file(b"[" + (b"9" * 4300 + b",") * 1000 + b"0]")
    yield "header of 4 MiB of decimals", lambda: _file(b"0." + b"9" * (4 * _MIB))
    for path in ("layers.0.gain", "bounds.sup_error", "seed", "format", "provenance.attempts"):
        for token in ("9" * _MIB, "0." + "9" * _MIB, "1e" + "9" * _MIB, "-" + "9" * 4300):
            yield (
                f"sealed {path} of {len(token)} characters like {token[:3]}",
                lambda path=path, token=token: sealed(changed(meta, path, f"raw:{token}"), masks),
            )


def _inflation() -> Iterator[Case]:
    """Masks that are inflated or decoded to more, to less, or never."""
    meta, masks = parts(honest())
    for encoding, streams in (("deflate", _deflated(masks[0])), ("rans", _coded(masks[0]))):
        for name, stream in streams.items():
            mask = {"encoding": encoding, "bytes": len(stream)}
            yield (
                f"sealed {encoding} mask of {name}",
                lambda mask=mask, stream=stream: sealed(changed(meta, "layers.0.mask", mask), [stream, masks[1]]),
            )


def _coded(mask: bytes) -> dict[str, bytes]:
    """Streams of sparse bits that are not the one of any mask of this size."""
    bits = [byte >> i & 1 for byte in mask for i in range(8)][:_BITS]
    whole, zeros = references.rans.written(bits), references.rans.written([0] * _BITS)
    f, state = (2**15).to_bytes(2, "little"), (2**32).to_bytes(8, "little")
    return {
        "nothing but f": whole[:2],
        "half a state": whole[:6],
        "a byte more": whole + b"\0",
        "a word more": whole + bytes(4),
        "a word less": whole[:-4],
        "two streams": whole * 2,
        "one bit more": references.rans.written([*bits, 0]),
        "one bit less": references.rans.written(bits[:-1]),
        "many bits": references.rans.written([0] * 10**6),
        "another f": references.rans.written(bits, 12345),
        "zeros with another f": references.rans.written([0] * _BITS, 2),
        "no ones at all": bytes(2) + zeros[2:],
        "a small state": f + (2**32 - 1).to_bytes(8, "little") + bytes(4),
        "no state": f + bytes(8),
        "the last state": f + state,
        "the largest state": f + b"\xff" * 8,
        "a megabyte of words": f + state + bytes(_MIB),
        "noise": bytes(range(250)),
    }


def _deflated(mask: bytes) -> dict[str, bytes]:
    plain = bytes(len(mask))
    zeros = zlib.compress(bytes(64 * _MIB), 1)
    blocks = b"\x78\x9c" + b"\0\0\0\xff\xff" * 200_000  # empty stored blocks, without an end
    return {
        "64 MiB of zeros": zeros,
        "a stream of streams": zlib.compress(zeros, 9),
        "too few bytes": zlib.compress(plain[:-1]),
        "too many bytes": zlib.compress(plain + b"\0"),
        "a tail": zlib.compress(plain) + b"\0",
        "two streams": zlib.compress(plain) * 2,
        "no end": zlib.compress(plain)[:-1],
        "a wrong checksum": zlib.compress(plain)[:-1] + b"\xff",
        "a dictionary": b"\x78\xbb\0\0\0\0" + zlib.compress(plain)[2:],
        "no zlib header": zlib.compress(plain)[2:-4],
        "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
        "a million empty blocks": blocks,
        "noise": bytes(range(256)),
        "one byte": b"x",
    }


def _work() -> Iterator[Case]:
    """Layouts that are valid, but that a small file does not pay for: many coefficients, neurons, outputs or layers."""
    shapes = {
        "coefficients": ((2**13, 2**13), 1),
        "live neurons": ((2**18, 1), 64),
        "candidates of one slot": ((1, 2**18), 64),
        "mask bits": ((2**12, 2**12), 64),
        "inputs": ((2**40, 1), 1),
        "outputs": ((1, 2**40), 1),
        "inputs and outputs": ((2**40, 2**40, 2**40), 64),
        "layers": ((64,) * 800, 64),
    }
    for name, (widths, candidates) in shapes.items():
        for encoding, stream in (("deflate", zlib.compress(b"")), ("rans", references.rans.written([0] * 10**4))):
            yield (
                f"sealed {encoding} layout of many {name}",
                lambda widths=widths, candidates=candidates, stream=stream, encoding=encoding: laid_out(
                    widths, candidates, lambda _: stream, encoding
                ),
            )
    yield "sealed plain layout of many inputs", lambda: laid_out((2**36, 2), 1, lambda _: b"short", "bits")


def laid_out(widths: tuple[int, ...], candidates: int, mask: Callable[[int], bytes], encoding: str) -> bytes:
    """A sealed file of unsigned layers without bias, right in everything but its masks, heads and digests."""
    meta, _ = parts(honest())
    layers, tensors, masks = [], [], []
    for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        live = inputs * candidates
        stored = mask(-(-live * outputs // 8))
        masks.append(stored)
        lift = {"candidates": candidates, "constants": 0, "neurons": live, "signed": [], "threshold": 0.5}
        layers.append({**meta["layers"][0], "lift": lift, "mask": {"encoding": encoding, "bytes": len(stored)}})
        for part, shape, kind in (("lift", [live, inputs], "lift"), ("mixing", [live, outputs, 1], "bits")):
            path = f"layers/{i}/{part}"
            tensors.append(
                {"path": path, "shape": shape, "law": "uniform", "scale": 1.0, "mask": kind, "head": "0" * 64}
            )
    claim = {**meta["bounds"]["layers"][0], "misses": 0, "sup_error": None, "l2_error": None}
    bounds = {"layers": [claim] * len(layers), "sup_error": None, "l2_error": None, "output_error": None}
    names = [[f"{i}", None] for i in range(len(layers))]
    return sealed(
        {
            **meta,
            "network": {
                "kind": "builtin",
                "name": "relu_mlp",
                "arguments": {"widths": list(widths), "bias": [False] * len(layers)},
            },
            "domain": {"range": [[0.0], [1.0]], "normalize": None},
            "layers": layers,
            "tensors": tensors,
            "bounds": bounds,
            "provenance": {**meta["provenance"], "names": names},
        },
        masks,
    )
