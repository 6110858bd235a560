"""A reader of version 2 written from FORMAT.md alone, by loops; no slth."""

import hashlib
import itertools
import json
import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from references import rans
from references.learned import TYPES, philox


@dataclass
class Map:
    """What a pruned random map computes, the width of its lift, the heads of its tensors."""

    positive: np.ndarray
    negative: np.ndarray
    bias: np.ndarray | None
    widths: list[int] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=dict)

    def digest(self, signed: bool) -> str:
        """`realised` of the page."""
        parts = [self.positive, self.negative if signed else None, self.bias]
        return hashlib.sha256(b"".join(little(part) for part in parts if part is not None)).hexdigest()


def little(array) -> bytes:
    """Little-endian float64 in C order, −0.0 as 0.0."""
    return (np.asarray(array, np.float64) + 0.0).astype("<f8").tobytes()


def value(law, word):
    """The number that a word of a stream stands for."""
    name, _, rest = law.partition("/")
    if name == "uniform":
        return (word >> 8) * 2.0**-23 - 1
    if name == "sign":
        return -1.0 if word >> 31 else 1.0
    if name == "grid":
        return float(Fraction(word * (2 ** (int(rest) + 1) + 1) >> 32, 2 ** int(rest)) - 1)
    if name in ("pruned", "mixture"):
        share, _, other = rest.partition("/")
        return value("uniform", word) if word % 256 < 256 * float(share) else value(other, word) if other else 0.0
    t = ((word >> 8) + 0.5) * 2.0**-24
    if name == "normal":
        return round(NormalDist().inv_cdf(t) * 2**20) * 2.0**-20
    s = 2 * t - 1
    return math.copysign(round(2.0 ** (-int(rest) * (1 - abs(s))) * 2**20) * 2.0**-20, s)


class Stream:
    """Numbers of a law by their index; those of one seed and path are drawn once."""

    @staticmethod
    @lru_cache(maxsize=512)
    def of(seed, path, law="uniform"):
        """The stream that a seed and a path name."""
        return Stream(seed, path, law)

    def __init__(self, seed, path, law):
        self.law = law
        digest = hashlib.sha256(f"{seed}/{path}".encode()).digest()
        self.key = int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")
        self.blocks = {}

    def __getitem__(self, i):
        block = i // 4
        if block not in self.blocks:
            self.blocks[block] = philox((block % 2**32, block // 2**32, 0, 0), self.key)
        return value(self.law, int(self.blocks[block][i % 4]))

    @lru_cache(maxsize=4096)  # noqa: B019
    def head(self, count):
        """SHA-256 of the first 4,096 values."""
        values = np.array([self[i] for i in range(min(count, 4096))], "<f4")
        return hashlib.sha256(values.tobytes()).hexdigest()


def split(data: bytes) -> tuple[dict, dict[str, bytes]]:
    """Metadata and runs of a file whose digest is right."""
    start = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:start])
    text = entries.pop("__metadata__")["slth"]
    meta = json.loads(text)
    assert text == json.dumps(meta, sort_keys=True, separators=(",", ":"))
    zeroed = data.replace(meta["digest"].encode(), b"0" * 64)
    assert hashlib.sha256(zeroed).hexdigest() == meta["digest"]
    return meta, {name: data[start:][slice(*entry["data_offsets"])] for name, entry in entries.items()}


def carried(meta: dict, runs: dict[str, bytes]) -> dict[str, np.ndarray]:
    """The carried arrays."""
    return {
        name: np.frombuffer(runs[f"carried/{name}"], TYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in meta["carried"].items()
    }


def read(data: bytes) -> dict[str, Map]:
    """What every map of a file computes."""
    meta, runs = split(data)
    stored = {tensor["path"]: tensor for tensor in meta["tensors"]}
    return {path: realise(meta["seed"], path, gadget, stored, runs) for path, gadget in meta["gadgets"].items()}


def folded(meta) -> dict[str, tuple[str, ...]]:
    """Steps of the target that each map holds, as the page allows them."""
    maps = {node["op"]["map"] for node in meta["network"].get("nodes", ()) if node["op"]["kind"] == "Linear"}
    found = meta["provenance"]["folded"]
    for path, steps in found.items():
        assert path in maps
        assert 0 < len(steps) == len(set(steps)) <= 10**5
        assert all(0 < len(step) <= 1000 and step.isprintable() for step in steps)
    return {path: tuple(steps) for path, steps in found.items()}


def realise(seed, path, gadget, tensors, runs) -> Map:
    """What a map computes, by the kind of its gadget."""
    by_kind = {"two-layer": by_edges, "merged": by_edges, "copies": copied, "neurons": by_neurons}
    return by_kind[gadget.get("kind", "two-layer")](seed, path, gadget, tensors, runs)


def by_neurons(seed, path, gadget, tensors, runs) -> Map:
    """P, N and b where a bit keeps a neuron for a group of rows."""
    (rows, inputs, taps), size = gadget["shape"], gadget["group_size"]
    assert size * taps <= 9
    signed = [j for start, stop in gadget["signed"] for j in range(start, stop)]
    members = [range(first, min(first + size, rows)) for first in range(0, rows, size)]
    needs = {name: gadget[name] * len(members) for name in ("candidates", "constants")}
    slots, live, width = scan(seed, path, inputs, signed, 1, needs, "uniform")
    mixing = Stream.of(seed, f"{path}/mixing")
    found = Map(np.zeros((rows, inputs, taps)), np.zeros((rows, inputs, taps)), None)
    if gadget["constants"]:
        found.bias = np.zeros(rows)
    terms, kept = {}, {"lift": 0, "lift_bias": 0, "mixing": 0}
    bits = iter(mask(tensors[f"{path}/mixing"], runs, len(live), neurons=True))
    for slot, (half, j) in enumerate(slots):
        serving = [(h, u) for h, at, u in live if at == slot]
        each = gadget["constants" if half == "1" else "candidates"]
        for k, (h, u) in enumerate(serving):
            if not next(bits):
                continue
            kept["lift_bias" if half == "1" else "lift"] += 1
            for r, t in itertools.product(members[k // each], range(1 if half == "1" else taps)):
                kept["mixing"] += 1
                gain = gadget["bias_gain" if half == "1" else "gain"]
                terms.setdefault((half, r, j, t), []).append(gain * (mixing[(h * rows + r) * taps + t] * u))
    assert next(bits, None) is None
    for name, count in kept.items():
        assert name not in ("lift", "mixing") or tensors[f"{path}/{name}"]["kept"] == count
        assert not gadget["constants"] or tensors[f"{path}/{name}"]["kept"] == count
    for (half, r, j, t), products in terms.items():
        total = math.fsum(products)
        if half == "1":
            found.bias[r] = total
        else:
            (found.positive if half == "+" else found.negative)[r, j, t] = total
    found.widths.append(width)
    found.heads = {f"{path}/mixing": mixing.head(width * rows * taps)}
    found.heads[f"{path}/lift"] = Stream.of(seed, f"{path}/lift").head(width * inputs)
    if gadget["constants"]:
        found.heads[f"{path}/lift_bias"] = Stream.of(seed, f"{path}/lift_bias").head(width)
    return found


def by_edges(seed, path, gadget, tensors, runs) -> Map:
    """P, N and b: products over slots and stages, their sum rounded once."""
    (rows, inputs, taps), groups = gadget["shape"], gadget["groups"]
    signed = [j for start, stop in gadget["signed"] for j in range(start, stop)]
    law, centred = gadget["law"], gadget["centred"]
    terms = {}  # (half, row, input or group, tap): the products that are kept
    found = Map(np.zeros((rows, inputs, taps)), np.zeros((rows, inputs, taps)), None)
    for s, stage in enumerate(gadget["stages"]):
        prefix = path if s == 0 else f"{path}/{s}"
        linear = gadget["lift"] == "linear"
        slots, live, width = scan(seed, prefix, inputs, [] if linear else signed, groups, stage, law, linear)
        mixing = Stream.of(seed, f"{prefix}/mixing", law)
        bits = iter(mask(tensors[f"{prefix}/mixing"], runs, stored_bits(rows, taps, slots, live)))
        for r, t, (h, slot, u) in itertools.product(range(rows), range(taps), live):
            half, j = slots[slot]
            if half == "1" and t > 0:
                continue
            bit = next(bits)
            if bit or centred:
                gain = stage["bias_gain" if half == "1" else "gain"] * (1 if bit else -1)
                terms.setdefault((half, r, j, t), []).append(gain * (mixing[(h * rows + r) * taps + t] * u))
        assert next(bits, None) is None
        found.widths.append(width)
        found.heads[f"{prefix}/mixing"] = mixing.head(width * rows * taps)
        found.heads[f"{prefix}/lift"] = Stream.of(seed, f"{prefix}/lift", law).head(width * inputs)
        if stage["constants"]:
            found.bias = np.zeros(groups * rows) if found.bias is None else found.bias
            found.heads[f"{prefix}/lift_bias"] = Stream.of(seed, f"{prefix}/lift_bias", law).head(width)
        if centred:
            mirrors = {f"{prefix}/mirror/{name[len(prefix) + 1 :]}": head for name, head in found.heads.items()}
            found.heads |= mirrors
    for (half, r, j, t), products in terms.items():
        total = math.fsum(products)
        if half == "1":
            found.bias[j * rows + r] = total
        else:
            (found.positive if half == "+" else found.negative)[r, j, t] = total
    return found


def copied(seed, path, gadget, tensors, runs) -> Map:
    """Plain weights: each product is a coefficient of its own."""
    (rows, inputs, taps), groups = gadget["shape"], gadget["groups"]
    assert inputs // groups % gadget["copies"] == 0
    slots, live, width = scan(seed, path, 0, [], groups, {"candidates": 0, "constants": gadget["constants"]}, "uniform")
    mixing = Stream.of(seed, f"{path}/mixing", "uniform")
    bits = iter(mask(tensors[f"{path}/mixing"], runs, rows * (taps * inputs + len(live))))
    found = Map(np.zeros((rows, inputs, taps)), np.zeros((rows, inputs, taps)), None)
    found.bias = np.zeros(groups * rows) if gadget["constants"] else None
    for r, t in itertools.product(range(rows), range(taps)):
        for i in range(inputs):
            found.positive[r, i, t] = gadget["gain"] * mixing[(i * rows + r) * taps + t] if next(bits) else 0.0
        for h, slot, u in live if t == 0 else ():
            if next(bits):
                found.bias[slots[slot][1] * rows + r] += gadget["bias_gain"] * (
                    mixing[(inputs + h) * rows * taps + r * taps] * u
                )
    assert next(bits, None) is None
    for start, stop in gadget["signed"]:
        found.negative[:, start:stop] = -found.positive[:, start:stop]
    found.widths.append(width)
    found.heads[f"{path}/mixing"] = mixing.head((inputs + width) * rows * taps)
    if gadget["constants"]:
        found.heads[f"{path}/lift_bias"] = Stream.of(seed, f"{path}/lift_bias", "uniform").head(width)
    return found


def scan(seed, prefix, inputs, signed, groups, stage, law, linear=False):
    """Slots; (neuron, slot, value) of each live neuron; the number of neurons looked at."""
    lift, bias = (Stream.of(seed, f"{prefix}/{part}", law) for part in ("lift", "lift_bias"))
    n, n_c = stage["candidates"], stage["constants"]
    slots = [("+", j) for j in range(inputs)] + [("-", j) for j in signed]
    slots += [("1", g) for g in range(groups)] if n_c else []
    need = [n_c if half == "1" else n for half, _ in slots]
    live, after, h = [], 0, 0
    while any(need):
        for step in range(len(slots)):
            slot = (after + step) % len(slots)
            half, j = slots[slot]
            if need[slot] == 0:
                continue
            value = bias[h] if half == "1" else lift[h * inputs + j] * (1 if half == "+" else -1)
            if value >= 0.5 or (linear and value <= -0.5):
                live.append((h, slot, value))
                need[slot] -= 1
                after = (slot + 1) % len(slots)
                break
        h += 1
    return slots, live, h


def stored_bits(rows, taps, slots, live) -> int:
    """One for each (row, tap, live neuron); of a constant at tap 0 only."""
    return rows * sum(1 if slots[slot][0] == "1" else taps for _, slot, _ in live)


def mask(tensor, runs, count, *, neurons=False) -> list[int]:
    """The bits of a mask."""
    stored = runs[f"{tensor['path']}.mask"]
    bits = (
        rans.read(stored, count)
        if tensor["mask"]["encoding"] == "rans"
        else [stored[i // 8] >> i % 8 & 1 for i in range(count)]
    )
    assert neurons or sum(bits) == tensor["kept"]
    return bits


def walk(nodes: list[dict]) -> list[dict]:
    """The nodes in the order of the page."""
    by_name, found = {node["name"]: node for node in nodes}, {}

    def visit(name):
        if name == "input" or name in found:
            return
        for before in by_name[name]["inputs"]:
            visit(before)
        found[name] = by_name[name]

    visit(nodes[-1]["name"])
    return list(found.values())


def numbered(nodes) -> tuple[list[dict], list[str], list[str]]:
    """The nodes as the page writes them, with numbers for names; the names of maps and of carried arrays."""
    nodes = walk(nodes)
    number = {"input": -1} | {node["name"]: i for i, node in enumerate(nodes)}
    maps, arrays = [], []

    def place(seen, name):
        if name not in seen:
            seen.append(name)
        return seen.index(name)

    def renamed(key, value, tied=False):
        if isinstance(value, dict):
            return {inner: renamed(inner, value[inner], value.get("tied")) for inner in sorted(value)}
        if isinstance(value, list):
            return [renamed(None, item) for item in value]
        if isinstance(value, float):
            return value + 0.0
        if key == "map" or (key == "table" and tied):
            return place(maps, value)
        keys = ("scale", "shift", "slope", "value", "mean", "variance", "table", "bias", "visible")
        named = key in keys and isinstance(value, str)
        return place(arrays, value) if named else value

    texts = [{"inputs": [number[name] for name in node["inputs"]], "op": renamed(None, node["op"])} for node in nodes]
    return texts, maps, arrays


def digest_text(shape, nodes) -> str:
    """What the digest of a target begins with."""
    return json.dumps([list(shape), numbered(nodes)[0]], sort_keys=True, separators=(",", ":"))


def graph_digest(shape, nodes, coefficients, arrays) -> str:
    """SHA-256 of a target: `coefficients` by path (C, b or None), `arrays` by name."""
    _, maps, names = numbered(nodes)
    parts = [part for path in maps for part in coefficients[path] if part is not None]
    parts += [arrays[name] for name in names]
    return hashlib.sha256(digest_text(shape, nodes).encode() + b"".join(map(little, parts))).hexdigest()
