"""A reader of learned tickets written from FORMAT.md alone: plain integers and single float32 operations, no slth."""

import hashlib
import json
import math
from statistics import NormalDist

import numpy as np
import references.rans

TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}
TYPES |= {"U8": "u1", "BOOL": "?"}


def philox(counter, key):
    """Philox4x32-10 of one block."""
    c, (k0, k1) = list(counter), key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 % 2**32, (p0 >> 32) ^ c[3] ^ k1, p0 % 2**32]
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return c


def drawn(seed, path, law, count):
    """The first values of a stream, float32."""
    digest = hashlib.sha256(f"{seed}/{path}".encode()).digest()
    key = int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")
    values = []
    for block in range(-(-count // 4)):
        for word in philox((block % 2**32, block // 2**32, 0, 0), key):
            top = word >> 8
            normal = NormalDist().inv_cdf((top + 0.5) * 2.0**-24)
            values.append({"uniform": top * 2.0**-23 - 1, "sign": -1.0 if word >> 31 else 1.0, "normal": normal}[law])
    return [np.float32(value) for value in values[:count]]


def read(data):
    """Metadata; the runs by name, as (type, shape, bytes); the state of the network; heads and digests recomputed."""
    start = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:start])
    meta = json.loads(entries.pop("__metadata__")["slth"])
    runs = {name: data[start:][slice(*entry["data_offsets"])] for name, entry in entries.items()}
    state, heads, digests = {}, [], []
    for tensor in meta["tensors"]:
        count = math.prod(tensor["shape"])
        scale, gain = np.float32(tensor["scale"]), np.float32(tensor["gain"])
        bits = mask(tensor, runs, count)
        assert sum(bits) == tensor["kept"]
        moves = iter(np.frombuffer(runs[f"{tensor['path']}.move"], "<f4") if tensor["moved"] else ())
        values = drawn(meta["seed"], tensor["stream"] or tensor["path"], tensor["law"], count)
        heads.append(hashlib.sha256(b"".join((d * scale).tobytes() for d in values[:4096])).hexdigest())
        effective = []
        for d, bit in zip(values, bits, strict=True):
            w = d * scale
            if bit and tensor["moved"]:
                w = w + next(moves)
            if tensor["binary"]:
                w = np.float32(1 if w >= 0 else -1)
            if gain != 1:
                w = w * gain
            effective.append(w if bit else np.float32(0))
        array = np.array(effective, "<f4").reshape(tensor["shape"])
        digests.append(hashlib.sha256(array.tobytes()).hexdigest())
        state |= dict.fromkeys([tensor["path"], *tensor["aliases"]], array)
    for name, entry in meta["carried"].items():
        state[name] = np.frombuffer(runs[f"carried/{name}"], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return meta, state, heads, digests


def mask(tensor, runs, count):
    """The bits of a tensor's mask."""
    if tensor["mask"] is None:
        return [1] * count
    stored = runs[f"{tensor['path']}.mask"]
    if tensor["mask"]["encoding"] == "rans":
        return references.rans.read(stored, count)
    return [stored[i // 8] >> i % 8 & 1 for i in range(count)]
