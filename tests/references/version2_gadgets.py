"""A reader of every gadget, here of those without stages, written from FORMAT.md alone, by loops; no slth."""

import itertools
from functools import partial

import numpy as np
from references import version2


class Signs:
    """+1 where the top bit of a word is 0: where its uniform number is negative."""

    def __init__(self, seed, path):
        self.uniform = version2.Stream.of(seed, path)

    def __getitem__(self, i):
        return 1.0 if self.uniform[i] < 0 else -1.0


def source(gadget):
    """The numbers of a seed and a path, of the law of the gadget."""
    if gadget["kind"] in ("counts", "doubling"):
        return Signs
    law = f"grid/{gadget['size']}" if gadget["kind"] == "grid" else "uniform"
    return partial(version2.Stream.of, law=law)


def read(data: bytes) -> dict[str, version2.Map]:
    """What every map of a file computes."""
    meta, runs = version2.split(data)
    stored = {tensor["path"]: tensor for tensor in meta["tensors"]}
    return {path: realise(meta["seed"], path, gadget, stored, runs) for path, gadget in meta["gadgets"].items()}


def realise(seed, path, gadget, tensors, runs) -> version2.Map:
    """P, N and b: sums over slots."""
    (rows, inputs, taps), groups, kind = gadget["shape"], gadget["groups"], gadget["kind"]
    if kind in ("two-layer", "merged", "copies", "neurons"):
        return version2.realise(seed, path, gadget, tensors, runs)
    signed = [j for start, stop in gadget["signed"] for j in range(start, stop)]
    mixing = source(gadget)(seed, f"{path}/mixing")
    if kind in ("plain", "single-plain"):
        columns, widths = edges(gadget, inputs, groups), []
    elif kind == "doubling":
        columns, widths = doubled(seed, path, gadget, inputs, signed, tensors)
    else:
        columns, widths = lifted(seed, path, gadget, inputs, signed, groups)
    bits = iter(version2.mask(tensors[f"{path}/mixing"], runs, count(rows, taps, columns)))
    found = version2.Map(np.zeros((rows, inputs, taps)), np.zeros((rows, inputs, taps)), None, widths)
    if any(half == "1" for _, half, _, _ in columns):
        found.bias = np.zeros(groups * rows)
    kept = {}
    for r, t, (h, half, j, u) in itertools.product(range(rows), range(taps), columns):
        if (half == "1" and t > 0) or not next(bits):
            continue
        kept[half, r, j, t] = kept.get((half, r, j, t), 0) + 1
        value = gadget["bias_gain" if half == "1" else "gain"] * (mixing[(h * rows + r) * taps + t] * u)
        if half == "1":
            found.bias[j * rows + r] += value
        if half in ("+", "both"):
            found.positive[r, j, t] += value
        if half == "-" or (half == "both" and j in signed):
            found.negative[r, j, t] += value if half == "-" else -value
    assert next(bits, None) is None
    assert not kind.startswith("single") or max(kept.values()) == 1
    return found


def count(rows, taps, columns) -> int:
    """Bits of a mask: of a constant at tap 0 only."""
    return rows * sum(1 if half == "1" else taps for _, half, _, _ in columns)


def lifted(seed, path, gadget, inputs, signed, groups):
    """(neuron, half, input or group, u) of each column; the width of the lift."""
    make = source(gadget)
    need = [("+", j, gadget["candidates"]) for j in range(inputs)]
    need += [("-", j, gadget["candidates"]) for j in signed]
    need += [("1", g, gadget["constants"]) for g in range(groups)] if gadget["constants"] else []
    live, width = scanned(make(seed, f"{path}/lift"), make(seed, f"{path}/lift_bias"), inputs, need)
    return [(h, *need[slot][:2], u) for h, slot, u in live], [width]


def scanned(lift, bias, inputs, need):
    """(neuron, slot, value) of each live neuron; how many were looked at."""
    left, live, after, h = [n for _, _, n in need], [], 0, 0
    while any(left):
        for step in range(len(need)):
            slot = (after + step) % len(need)
            half, j, _ = need[slot]
            value = bias[h] if half == "1" else lift[h * inputs + j] * (-1 if half == "-" else 1)
            if left[slot] and value >= 0.5:
                live.append((h, slot, value))
                left[slot] -= 1
                after = (slot + 1) % len(need)
                break
        h += 1
    return live, h


def edges(gadget, inputs, groups):
    """Edge k of slot s is row k · slots + s."""
    slots = [("both", j, gadget["candidates"]) for j in range(inputs)]
    slots += [("1", g, gadget["constants"]) for g in range(groups)] if gadget["constants"] else []
    longest = max(gadget["candidates"], gadget["constants"])
    places = itertools.product(range(longest), enumerate(slots))
    return [(k * len(slots) + s, half, j, 1.0) for k, (s, (half, j, n)) in places if k < n]


def doubled(seed, path, gadget, inputs, signed, tensors):
    """Layer after layer, need after need."""
    c, p = gadget["copies"], len(gadget["widths"])
    need = [("+", j, c) for j in range(inputs)] + [("-", j, c) for j in signed]
    need += [("1", 0, c)] if f"{path}/lift_bias" in tensors else []
    live, width = scanned(Signs(seed, f"{path}/lift"), Signs(seed, f"{path}/lift_bias"), inputs, need)
    holds = {(0, s): [h for h, slot, _ in live if slot == s] for s in range(len(need))}
    widths = [width]
    for t in range(1, p):
        weights, now, h = Signs(seed, f"{path}/levels/{t}"), {}, 0
        for k, s, _ in itertools.product(range(t + 1), range(len(need)), range(c)):
            while True:
                sources = holds[k - 1 if k == t else k, s]
                good = [source for source in sources if weights[h * widths[-1] + source] > 0]
                h += 1
                if len(good) >= (2 if k == t else 1):
                    break
            now.setdefault((k, s), []).append(h - 1)
        holds = now
        widths.append(h)
    order = itertools.product(range(p), range(len(need)))
    return [(h, *need[s][:2], 2.0 ** (k - p)) for k, s in order for h in holds[k, s]], widths
