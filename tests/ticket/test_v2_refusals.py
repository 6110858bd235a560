"""A version 2 file with a right digest and one thing wrong is refused, by name."""

import numpy as np
import pytest
from helpers.graph_tickets import Builder, ticket_of
from helpers.version2_files import changed, entries_of, parts, sealed, text_of

from slth.graph import (
    Add,
    AxisMap,
    AxisMatrix,
    Conv,
    Dense,
    Graph,
    Linear,
    MaxPool,
    Pointwise,
    Reshape,
    Scale,
)
from slth.ticket import Bound, Inputs, Provenance, RandomTensor, TicketError, decode, encode, learned_ticket


def small_file() -> bytes:
    """Conv with groups and a bias, ReLU6, max pool, a residual with a carried scale, a mean, a dense map."""
    b = Builder(np.random.default_rng(0), (2, 5))
    conv = b.add(Linear("conv", Conv(2, 4, (2,), (1,), (1, 0), (1,), 2), True), "input", name="conv")
    relu = b.add(Pointwise("Clip", low=0.0, high=6.0), conv, name="relu")
    pool = b.add(MaxPool((2,), (1,), (1, 0), (1,)), relu, name="pool")
    scaled = b.add(Scale(0, b.number(4), None), pool, name="scaled")
    added = b.add(Add((1.0, -1.0)), relu, scaled, name="added")
    mean = b.add(AxisMap((AxisMatrix(1, "average", kernel=2, stride=2, padding=(0, 1), length=3, count="all"),)), added)
    flat = b.add(Reshape((12,)), mean, name="flat")
    b.add(Linear("fc", Dense(12, 3), False), flat, name="fc")
    inputs = Inputs((2, 5), (0.5,), (0.25,), (0.0, -1.0), (1.0,))
    return encode(ticket_of(Graph(tuple(b.nodes)), inputs, b.carried, assumed=("a sentence",))[0])


@pytest.fixture(scope="module")
def file():
    return parts(small_file())


def node(name, *keys):
    """The path of a member of a node, by the node's place."""
    order = ["conv", "relu", "pool", "scaled", "added", "n5", "flat", "fc"]
    return ("network", "nodes", order.index(name), *keys)


def refused(file, path, value, match=None):
    meta, entries, body = file
    with pytest.raises(TicketError, match=match) as error:
        decode(sealed(changed(meta, path, value), entries, body))
    assert len(str(error.value)) < 600
    return str(error.value)


BAD = [
    (("digest",), ...),
    (("stream",), "philox4x32-10/v2"),
    (("seed",), 5),
    (("seed",), "01"),
    (("extra",), 1),
    (("gadgets",), {}),
    (("gadgets", "conv"), ...),
    (("gadgets", "conv", "extra"), 0),
    (("gadgets", "conv", "shape"), [2, 2, 1]),
    (("gadgets", "conv", "shape"), [2, 2]),
    (("gadgets", "conv", "groups"), 1),
    (("gadgets", "conv", "signed"), []),
    (("gadgets", "conv", "signed"), [[0, 1]]),
    (("gadgets", "conv", "signed"), [[0, 1], [1, 2]]),
    (("gadgets", "conv", "signed"), [[1, 3]]),
    (("gadgets", "conv", "signed"), [[1, 2, 3]]),
    (("gadgets", "fc", "signed"), [[0, 11]]),
    (("gadgets", "conv", "threshold"), 0.25),
    (("gadgets", "conv", "stages"), []),
    (("gadgets", "conv", "stages", 0, "candidates"), 0),
    (("gadgets", "conv", "stages", 0, "candidates"), 65),
    (("gadgets", "conv", "stages", 0, "constants"), 0),
    (("gadgets", "conv", "stages", 0, "neurons"), 1),
    (("gadgets", "conv", "stages", 0, "neurons"), 2**60),
    (("gadgets", "conv", "stages", 0, "gain"), 0.75),
    (("gadgets", "conv", "stages", 0, "gain"), 1),
    (("gadgets", "fc", "stages", 0, "constants"), 1),
    (("gadgets", "fc", "stages", 0, "bias_gain"), 0.5),
    (("gadgets", "conv", "realised"), "A" * 64),
    (("tensors",), []),
    (("tensors", 0), ...),
    (("tensors", 0, "path"), "conv/other"),
    (("tensors", 0, "shape"), [1, 2]),
    (("tensors", 0, "law"), "normal"),
    (("tensors", 0, "scale"), 0.5),
    (("tensors", 0, "gain"), 0.5),
    (("tensors", 0, "kept"), 1),
    (("tensors", 0, "binary"), True),
    (("tensors", 0, "stream"), "other"),
    (("tensors", 0, "aliases"), ["other"]),
    (("tensors", 0, "mask"), {"encoding": "bits", "bytes": 1}),
    (("tensors", 0, "weights"), "0" * 64),
    (("tensors", 0, "head"), "0" * 63),
    (("tensors", 2, "kept"), 1),
    (("tensors", 2, "mask"), None),
    (("tensors", 2, "mask", "bytes"), 1),
    (("tensors", 2, "mask", "encoding"), "rans"),
    (("carried",), {}),
    (("carried", "array.0", "shape"), [5]),
    (("carried", "array.0", "shape"), [4, 1]),
    (("carried", "array.0", "shape"), [2, 2]),
    (("carried", "array.0", "shape"), [2**40]),
    (("carried", "array.0", "shape"), [0]),
    (("carried", "array.0", "dtype"), "F64"),
    (("carried", "array.0", "dtype"), "I32"),
    (("carried", "other"), {"dtype": "F32", "shape": [0]}),
    (("move_bound",), 0.0),
    (("move_bound",), 1),
    (("assumed",), [""]),
    (("assumed",), ["a"] * 101),
    (("assumed",), [{"about": "order", "text": "x"}]),
    (("inputs",), None),
    (("inputs", "shape"), [3, 5]),
    (("inputs", "shape"), []),
    (("inputs", "mean"), 0.5),
    (("inputs", "mean"), None),
    (("inputs", "mean"), [0.5, 0.5, 0.5]),
    (("inputs", "std"), [0.0]),
    (("inputs", "lower"), None),
    (("inputs", "lower"), [2.0]),
    (("inputs", "lower"), [-1.0, -1.0]),
    (("inputs", "lower"), [0]),
    (("network", "nodes"), []),
    (("network", "kind"), "bound"),
    (node("relu", "name"), "conv"),
    (node("relu", "name"), "input"),
    (node("relu", "name"), "other"),
    (node("relu", "name"), ""),
    (node("relu", "name"), "n" * 1001),
    (node("relu", "inputs"), []),
    (node("relu", "inputs"), ["conv", "conv"]),
    (node("relu", "inputs"), ["relu"]),
    (node("relu", "inputs"), ["pool"]),
    (node("relu", "inputs"), ["nowhere"]),
    (node("conv", "inputs"), ["fc"]),
    (node("relu", "op", "low"), 7.0),
    (node("relu", "op", "low"), 0),
    (node("relu", "op", "function"), "Relu"),
    (node("conv", "op", "bias"), 1),
    (node("conv", "op", "bias"), False),
    (node("conv", "op", "map"), "fc"),
    (node("conv", "op", "basis", "inputs"), 4),
    (node("conv", "op", "basis", "outputs"), 3),
    (node("conv", "op", "basis", "groups"), 3),
    (node("conv", "op", "basis", "kernel"), [2, 1]),
    (node("conv", "op", "basis", "kernel"), [7]),
    (node("conv", "op", "basis", "kernel"), []),
    (node("conv", "op", "basis", "stride"), [0]),
    (node("conv", "op", "basis", "stride"), [2**20 + 1]),
    (node("conv", "op", "basis", "padding"), [-1, 0]),
    (node("conv", "op", "basis", "padding"), [1]),
    (node("pool", "op", "kernel"), [2, 2]),
    (node("pool", "op", "kernel"), []),
    (node("pool", "op", "stride"), []),
    (node("pool", "op", "padding"), [2, 0]),
    (node("pool", "op", "dilation"), [6]),
    (node("scaled", "op", "axis"), 1),
    (node("scaled", "op", "axis"), 2),
    (node("scaled", "op", "scale"), "nothing"),
    (node("scaled", "op", "shift"), "array.0x"),
    (node("added", "op", "coefficients"), [1.0]),
    (node("added", "op", "coefficients"), [1.0, 1.0]),
    (node("added", "op", "coefficients"), [1, 1]),
    (node("added", "op", "coefficients"), []),
    (node("n5", "op", "axes"), []),
    (node("n5", "op", "axes", 0, "axis"), 2),
    (node("n5", "op", "axes", 0, "length"), 4),
    (node("n5", "op", "axes", 0, "kernel"), 0),
    (node("n5", "op", "axes", 0, "padding"), [2, 1]),
    (node("n5", "op", "axes", 0, "padding"), [0]),
    (node("n5", "op", "axes", 0, "count"), "some"),
    (node("flat", "op", "shape"), [13]),
    (node("flat", "op", "shape"), []),
    (node("flat", "op", "shape"), [1] * 9),
    (("claims",), {}),
    (("claims", "coefficients"), {}),
    (("claims", "coefficients", "fc"), ...),
    (("claims", "coefficients", "fc", "misses"), -1),
    (("claims", "coefficients", "fc", "misses"), 10**6),
    (("claims", "coefficients", "fc", "tolerance"), 1),
    (("claims", "coefficients", "fc", "weight_error"), -1.0),
    *[(("claims", "coefficients", "fc", "norms"), bad) for bad in (..., None, "", "grid/5", "exact", ["spectral"])],
    (("claims", "bound"), None),
    (("claims", "bound", "maps"), {}),
    (("claims", "bound", "maps", "fc", "sup_error"), None),
    (("claims", "bound", "sup_error"), None),
    (("claims", "bound", "output_error"), None),
    (("claims", "bound", "output_error"), []),
    (("claims", "bound", "output_error"), [1.0, 1.0]),
    (("claims", "bound", "stops"), ["relu"]),
    (("provenance", "attempts"), 0),
    (("provenance", "target"), "x"),
    (("provenance", "names", "other"), ["w", None]),
    (("provenance", "names", "fc"), ["fc.weight", "fc.bias"]),
    (("provenance", "names", "fc"), ["__metadata__", None]),
    (("provenance", "folded"), ...),
    (("provenance", "folded", "other"), ["norm"]),
    *[
        (("provenance", "folded", "conv"), bad)
        for bad in ([], [""], [1], ["norm", "norm"], ["n" * 1001], ["\x1b[31m"], "norm", None, {"norm": 1})
    ],
    (("provenance", "misses", 0), ["conv", 3, 1, 1, "positive"]),
    (("provenance", "misses", 0), ["other", 3, 1, 1, "positive", 0.5]),
    (("provenance", "misses", 0), ["conv", 4, 1, 1, "positive", 0.5]),
    (("provenance", "misses", 0), ["conv", 0, 1, 1, "positive", 0.5]),
    (("provenance", "misses", 0), ["conv", 3, 1, 2, "positive", 0.5]),
    (("provenance", "misses", 0), ["conv", 3, -1, 0, "positive", 0.5]),
    (("provenance", "misses", 0), ["fc", 0, -1, 0, "bias", 0.5]),
    (("provenance", "misses", 1), ["conv", 3, 1, 1, "positive", 0.5]),
    (("provenance", "asked", "tolerance"), None),
    (("provenance", "asked", "tolerance"), 0.0),
    (("provenance", "asked", "tolerance"), "0.5"),
    (("provenance", "asked", "epsilon"), 0.5),
    (("provenance", "asked", "deep"), [[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]),
    (("provenance", "version"), "v" * 101),
    (("provenance", "data"), ""),
]


@pytest.mark.parametrize(("path", "value"), BAD, ids=lambda x: ".".join(map(str, x)) if isinstance(x, tuple) else None)
def test_one_bad_member_is_refused(file, path, value):
    assert text_of(changed(file[0], path, value)) != text_of(file[0])
    refused(file, path, value)


def test_a_stage_more_needs_tensors_of_its_own(file):
    stage = file[0]["gadgets"]["conv"]["stages"][0]
    refused(file, ("gadgets", "conv", "stages"), [stage, stage], match="expected 8 tensors, as `gadgets` says; got 5")
    refused(file, ("gadgets", "conv", "stages"), [], match="at least one stage")


UNKNOWN = [
    (("network", "kind"), "torch.fx"),
    (node("conv", "op", "kind"), "Recurrence"),
    (node("conv", "op", "basis", "kind"), "Spherical"),
    (node("relu", "op", "function"), "Snake"),
    (node("n5", "op", "axes", 0, "kind"), "cubic"),
    (("gadgets", "conv", "kind"), "unheard-of"),
    (("gadgets", "conv", "lift"), "leaky"),
    (("tensors", 0, "law"), "cauchy"),
    (("tensors", 2, "mask", "encoding"), "huffman"),
    (("carried", "array.0", "dtype"), "BF16"),
    (("claims", "measured"), []),
    (("provenance", "misses", 0, 4), "whole"),
]


@pytest.mark.parametrize(("path", "name"), UNKNOWN, ids=lambda x: str(x[-1] if isinstance(x, tuple) else x))
def test_an_unknown_name_is_refused_by_itself_with_the_advice_to_update(file, path, name):
    said = path[-1] if path == ("claims", "measured") else name
    refused(file, path, name, match=rf"'{said}' is not known to this slth: update slth")


def test_what_a_later_slth_may_read_is_refused_with_the_advice_to_update(file):
    meta = file[0]
    data = parts(encode(bound_ticket()))
    refused(data, ("gadgets",), meta["gadgets"], match="not spelled out are not known to this slth: update slth")


def bound_ticket():
    tensor = RandomTensor("fc.weight", (2, 3), "normal", kept=4)
    kept = np.array([[True, True, False], [True, True, False]])
    return learned_ticket(
        seed=0,
        network=Bound(),
        inputs=Inputs((3,), lower=(0.0,), upper=(1.0,)),
        tensors=[tensor],
        kept={"fc.weight": kept},
        moves={},
        move_bound=None,
        carried={},
        provenance=Provenance("0", "coins", {}),
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tensors", 0, "weights"), None),
        (("tensors", 0, "mask"), None),
        (("tensors", 0, "kept"), 6),
        (("tensors", 0, "kept"), 3),
        (("tensors", 0, "path"), ""),
        (("tensors", 0, "scale"), 0.1),
        (("network", "nodes"), []),
        (("claims",), {"coefficients": {}}),
        (("provenance", "target"), "0" * 64),
        (("provenance", "names"), {"fc": ["w", None]}),
        (("provenance", "misses"), [["fc", 0, 0, 0, "positive", 1.0]]),
        (("inputs", "lower"), [1.5]),
    ],
)
def test_parameters_of_a_bound_network_are_checked_too(path, value):
    refused(parts(encode(bound_ticket())), path, value)


def test_a_file_says_each_thing_in_one_way(file):
    """Spaces, another order, other spellings of a number, two keys of one name: all are another text."""
    meta, entries, body = file
    honest = text_of(meta)
    assert decode(sealed(meta, entries, body))
    for text in (
        honest.replace(":", ": ", 1),
        honest.replace('"low":0.0', '"low":0e0'),
        honest.replace('"high":6.0', '"high":6.00'),
        honest.replace('"a sentence"', '"\\u0061 sentence"'),
        honest.replace('"assumed":[', '"assumed":[],"assumed":['),
        "{" + honest[honest.index('"carried"') : -1] + "," + honest[1 : honest.index('"carried"') - 1] + "}",
    ):
        assert text != honest
        with pytest.raises(TicketError):
            decode(sealed(meta, entries, body, text=text))


def test_the_header_follows_from_the_text(file):
    meta, entries, body = file
    names = list(entries)
    renamed = {f"x{name}" if name == names[0] else name: entry for name, entry in entries.items()}
    typed = {name: {**entry, "dtype": "I8"} if name == names[0] else entry for name, entry in entries.items()}
    turned = {name: entries[name] for name in reversed(names)}
    for table in (renamed, typed, turned, {}):
        with pytest.raises(TicketError, match="layout does not follow"):
            decode(sealed(meta, table, body))


def test_padding_bits_and_carried_numbers_are_checked(file):
    """Behind the last bit there are zeros; a carried number is finite; a mask keeps what it says."""
    meta, entries, body = file
    last = entries["fc/mixing.mask"]["data_offsets"]
    scale = entries["carried/array.0"]["data_offsets"]
    for at, byte in ((last[1] - 1, 0xFF), (last[0], body[last[0]] ^ 1), (scale[0] + 3, 0xFF)):
        broken = bytearray(body)
        broken[at] = byte
        if at >= scale[0]:
            broken[at - 1] = 0xFF
        with pytest.raises(TicketError):
            decode(sealed(meta, entries, bytes(broken)))


def test_runs_that_are_longer_or_shorter_than_their_layout(file):
    meta, entries, body = file
    sizes = [(name, e["dtype"], e["shape"], e["data_offsets"][1] - e["data_offsets"][0]) for name, e in entries.items()]
    assert entries_of(sizes) == entries
    for more in (body + b"\0", body[:-1], b""):
        with pytest.raises(TicketError, match=r"other lengths|not follow"):
            decode(sealed(meta, entries, more))
