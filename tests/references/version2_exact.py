"""The tensors that an exact ticket gives back, and the digest of its target, from the page FORMAT.md alone."""

import hashlib
import json
import math
import struct

import numpy as np
from references import version2

SIGNIFICANT = {"F32": (24, -149), "BF16": (8, -133), "F16": (11, -24)}
PACKED = {"F32": "<f", "F16": "<e", "I8": "<b", "U8": "<B"}


def nearest(x: float, form: str) -> float:
    """One number at a time, by whole numbers of the last place."""
    bits, least = SIGNIFICANT[form]
    if x == 0:
        return 0.0
    last = max(math.frexp(x)[1] - bits, least)
    return math.ldexp(round(math.ldexp(x, -last)), last)  # Python rounds to even


def packed(x: float, form: str) -> bytes:
    if form == "BF16":
        return struct.pack("<f", x)[2:]
    return struct.pack(PACKED[form], int(x) if form in ("I8", "U8") else x)


def numbers(claim, op, weight, bias, arrays) -> list[float]:
    """C in C order, then b, in the target's own formats."""
    basis = op["basis"]
    rows, inputs, taps = weight.shape
    groups = basis.get("groups", 1)

    def per_output(name, r, j):
        found = np.asarray(arrays[name], float).reshape(-1)
        return found[0] if found.size == 1 else found[(j * groups // inputs) * rows + r]

    found = []
    for r in range(rows):
        for j in range(inputs):
            for t in range(taps):
                x = float(weight[r, j, t])
                if claim["format"] in SIGNIFICANT:
                    found.append(nearest(x, claim["format"]))
                    continue
                q = round(x / per_output(claim["scale"], r, j))
                q += 0 if claim["zero"] is None else per_output(claim["zero"], r, j)
                least = 0 if claim["format"] == "U8" else -128
                found.append(float(min(max(q, least), least + 255)))
    found += [] if bias is None else [nearest(float(x), claim["bias"]) for x in bias]
    if claim["places"] is not None:
        for place, x in zip(arrays[claim["places"]].tolist(), arrays[claim["rest"]].tolist(), strict=True):
            found[place] = float(x)
    if claim["zeros"] is not None:
        zeros = [i for i, x in enumerate(found) if x == 0]
        bits = np.unpackbits(arrays[claim["zeros"]], bitorder="little")
        assert len(bits) == -(-len(zeros) // 8) * 8
        assert not bits[len(zeros) :].any()
        for i, bit in zip(zeros, bits, strict=False):
            found[i] = -0.0 if bit else 0.0
    return found


def stored(values: list[float], op) -> np.ndarray:
    """C as PyTorch stores the weight of such a layer: flat."""
    basis = op["basis"]
    if basis["kind"] in ("Dense", "Steerable", "Permutation"):
        return np.array(values)
    groups, taps = basis["groups"], math.prod(basis["kernel"])
    rows, inputs = basis["outputs"] // groups, basis["inputs"]
    c = np.array(values).reshape(rows, inputs, taps)
    if basis["kind"] == "ConvTranspose":
        return np.array([[c[r, j] for r in range(rows)] for j in range(inputs)])
    own = inputs // groups
    return np.array([[c[r, g * own + j] for j in range(own)] for g in range(groups) for r in range(rows)])


def tensors(data: bytes) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Format, shape and bytes of every tensor of the target."""
    meta, runs = version2.split(data)
    arrays, maps = version2.carried(meta, runs), version2.read(data)
    ops = {node["op"]["map"]: node["op"] for node in meta["network"]["nodes"] if node["op"]["kind"] == "Linear"}
    found = {}
    for name, entry in meta["claims"]["exact"]["tensors"].items():
        form = entry["format"]
        if entry["part"] == "carried":
            array = arrays[entry["of"]]
            flat = array.reshape(-1).tolist()
            whole = form not in SIGNIFICANT
            body = array.tobytes() if whole else b"".join(packed(x, form) for x in flat)
        else:
            op, map_ = ops[entry["of"]], maps[entry["of"]]
            values = numbers(meta["claims"]["exact"]["maps"][entry["of"]], op, map_.positive, map_.bias, arrays)
            size = map_.positive.size
            part = stored(values[:size], op) if entry["part"] == "weight" else np.array(values[size:])
            part = part.T if entry["transposed"] else part
            body = b"".join(packed(x, form) for x in part.reshape(-1).tolist())
        found[name] = (form, tuple(entry["shape"]), body)
    return found


def digest(data: bytes) -> str:
    """SHA-256 of the target, of whose maps no number differs."""
    meta, runs = version2.split(data)
    nodes, names, carried = version2.numbered(meta["network"]["nodes"])
    arrays, maps, exact = version2.carried(meta, runs), version2.read(data), meta["claims"]["exact"]["maps"]
    ops = {node["op"]["map"]: node["op"] for node in meta["network"]["nodes"] if node["op"]["kind"] == "Linear"}
    formats = [[exact[path]["format"], exact[path]["bias"]] for path in names]
    text = json.dumps([meta["inputs"]["shape"], nodes, formats], sort_keys=True, separators=(",", ":"))
    found = hashlib.sha256(text.encode())
    for path in names:
        map_, claim = maps[path], exact[path]
        values = numbers(claim, ops[path], map_.positive, map_.bias, arrays)
        size = map_.positive.size
        found.update(b"".join(packed(x, claim["format"]) for x in values[:size]))
        found.update(b"".join(packed(x, claim["bias"]) for x in values[size:]))
    for name in carried:
        found.update(arrays[name].astype("<f8").tobytes())
    return found.hexdigest()
