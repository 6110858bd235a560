"""Records of a ticket refuse what contradicts itself: for every sentence the smallest thing that it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from attacks.forging import forged
from helpers.learned import any_learned, ticket_with
from helpers.tickets import any_ticket

from slth import InputError
from slth.ticket import Builtin, Inputs, Miss, Provenance, RandomTensor, decode, encode, learned_ticket, plain

ONE = RandomTensor("w", (3, 4), "sign", 0.5, 6)
MOVED, FULL, CARRIED = replace(ONE, moved=True), replace(ONE, kept=12), replace(ONE, path="carried/v")


@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        ({"path": ""}, "printable"),
        ({"path": "a\nb"}, "printable"),
        ({"aliases": ("\u202e",)}, "printable"),
        ({"stream": "\0"}, "printable"),
        ({"stream": "w"}, "only if it is another"),
        ({"shape": (4, 0)}, "at most 8 axes, all at least 1"),
        ({"shape": (1,) * 9}, "at most 8 axes, all at least 1"),
        ({"scale": 0.1}, "scale must be a float32"),
        ({"scale": -0.5}, "scale must be"),
        ({"scale": float("inf")}, "scale must be"),
        ({"scale": 2.0**-41}, "scale must be"),
        ({"gain": 0.0}, "gain must be"),
        ({"gain": float("nan")}, "gain must be"),
        ({"kept": 13}, "from 0 to 12"),
        ({"kept": -1}, "from 0 to 12"),
        ({"kept": 0, "moved": True}, "nothing is kept"),
    ],
)
def test_a_tensor_that_cannot_be_is_refused(lies, reason):
    fields = {"path": "w", "shape": (3, 4), "law": "sign", "scale": 0.5, "kept": 6, **lies}
    with pytest.raises(InputError, match=reason):
        RandomTensor(**fields)


def test_a_law_that_no_stream_has_is_refused(unchecked):
    with pytest.raises(InputError, match=r"expected a law of random numbers, one of uniform, sign, .*; got 'cauchy'"):
        replace(ONE, law="cauchy")


def test_a_parameter_is_not_larger_than_a_file_may_say():
    """2^41 weights; the tensors of a gadget may be larger, for nothing of their size is stored."""
    large = RandomTensor("w", (2**20, 2**21), "sign", kept=2**41)
    with pytest.raises(InputError, match=r"w: expected a shape of at most 2\*\*40 numbers"):
        replace(ticket_with([FULL]), tensors=(large,))


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        ("the seed must be a non-negative integer", lambda: ticket_with([ONE], seed=-1)),
        ("at least one random tensor", lambda: ticket_with([])),
        ("a head of each", lambda: replace(ticket_with([ONE]), heads={})),
        ("a digest of each", lambda: replace(ticket_with([ONE]), digests={})),
        ("a mask is stored for 'v', which is no random tensor", lambda: with_more("masks", np.zeros(1, np.uint8))),
        ("a move is stored for 'v', which is no random tensor", lambda: with_more("moves", np.ones(1, np.float32))),
        ("must be a positive number", lambda: ticket_with([ONE], move_bound=0.0)),
        ("must be a positive number", lambda: ticket_with([ONE], move_bound=float("inf"))),
        ("6 of 12 weights are kept, yet there is no mask", lambda: replace(ticket_with([ONE]), masks={})),
        ("every weight is kept, so there is no mask", lambda: replace(ticket_with([ONE]), tensors=(FULL,))),
        ("a mask of 12 bits, padded with zeros", lambda: with_mask([255, 0, 0])),
        ("a mask of 12 bits, padded with zeros", lambda: with_mask([255])),
        ("a mask of 12 bits, padded with zeros", lambda: with_mask([31, 17])),
        ("the mask keeps 7 weights, the ticket says 6", lambda: with_mask([127, 0])),
        ("moves are stored exactly where", lambda: ticket_with([ONE], moves={"w": np.ones(6, np.float32)})),
        ("moves are stored exactly where", lambda: ticket_with([MOVED], moves={})),
        ("expected 6 moves, one per kept weight", lambda: ticket_with([MOVED], moves={"w": np.ones(5, np.float32)})),
        ("finite moves", lambda: ticket_with([MOVED], moves={"w": np.full(6, np.nan, np.float32)})),
        ("finite moves", lambda: ticket_with([MOVED], moves={"w": np.full(6, 2.0**41, np.float32)})),
        ("every move is 0", lambda: ticket_with([MOVED], moves={"w": np.zeros(6, np.float32)})),
        ("two parameters are called 'w'", lambda: twice()),
        ("two parameters are called 'v'", lambda: carrying(v=np.ones(1), aliases=("v",))),
        ("two streams are called 'w'", lambda: ticket_with([ONE, replace(ONE, path="v", stream="w")])),
        ("two parts of the file", lambda: ticket_with([CARRIED], carried={"v.mask": np.ones(1)})),
        ("holds NaN or infinity", lambda: carrying(b=np.array([np.nan], np.float32))),
        ("holds NaN or infinity", lambda: carrying(b=np.array([np.inf]))),
        ("b is complex64; a ticket carries F16", lambda: carrying(b=np.ones(1, np.complex64))),
        ("at most 8 axes", lambda: carrying(b=np.ones((1,) * 9))),
        ("carried array: expected a printable", lambda: ticket_with([ONE], carried={"\x1b": np.ones(1)})),
        ("claims about layers/0", lambda: replace(ticket_with([ONE]), claims=any_ticket((1, 1))[0].claims)),
        ("a map 'layers/0', which the ticket does not have", lambda: speaking(names={"layers/0": ("w", None)})),
        ("no masked tensor is called 'x'; the ticket has w", lambda: ticket_with([ONE]).effective("x")),
        ("no masked tensor is called 'x'; the ticket has w", lambda: ticket_with([ONE]).mask("x")),
        ("no map is called 'w'; the ticket has none", lambda: ticket_with([ONE]).realised("w")),
        ("expected a bool mask of shape", lambda: learned(kept={"w": np.ones((4, 3), np.bool_)})),
        ("expected a bool mask of shape", lambda: learned(kept={"w": np.ones((3, 4), np.uint8)})),
        ("expected a mask of each tensor, w; got none", lambda: learned(kept={})),
        ("expected a mask of each tensor, w; got w, v", lambda: learned(kept=dict.fromkeys("wv", np.eye(3, 4) > 0))),
    ],
)
def test_a_learned_ticket_that_contradicts_itself_is_refused(reason, make):
    with pytest.raises(InputError, match=reason):
        make()


def with_mask(octets):
    return replace(ticket_with([ONE]), masks={"w": np.array(octets, np.uint8)})


def with_more(name, value):
    ticket = ticket_with([ONE])
    return replace(ticket, **{name: {**getattr(ticket, name), "v": value}})


def twice():
    ticket = ticket_with([ONE])
    return replace(ticket, tensors=(ONE, replace(ONE, stream="v")))


def carrying(*, aliases=(), **arrays):
    return ticket_with([replace(ONE, aliases=aliases)], carried=arrays)


def speaking(**more):
    ticket = ticket_with([ONE])
    return replace(ticket, provenance=replace(ticket.provenance, **more))


def learned(kept):
    return learned_ticket(
        seed=0,
        network=Builtin("mlp"),
        inputs=None,
        tensors=(ONE,),
        kept=kept,
        moves={},
        move_bound=None,
        carried={},
        provenance=Provenance("0", "by hand", {}),
    )


BY_MAP, BYTE, NOT_THEIRS = ("gadgets", "digests"), np.zeros(1, np.uint8), "random tensors are not those of the gadgets"


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("a gadget for each map, .*; got layers/0$", lambda t: {name: first(getattr(t, name)) for name in BY_MAP}),
        ("a gadget for .*; got layers/1, layers/0$", lambda t: {"gadgets": backwards(t.gadgets)}),
        ("a gadget for each map, of which there are none; got layers/0", lambda t: {"network": Builtin("mlp")}),
        ("a digest of each of its maps", lambda t: {"digests": first(t.digests)}),
        (NOT_THEIRS, lambda t: {"tensors": t.tensors[::-1]}),
        (NOT_THEIRS, lambda t: {"tensors": lied(t, 0, shape=(1, 3), kept=0)}),
        (NOT_THEIRS, lambda t: {"tensors": lied(t, 0, kept=0)}),
        (NOT_THEIRS, lambda t: {"tensors": lied(t, 0, scale=0.5)}),
        (NOT_THEIRS, lambda t: {"tensors": lied(t, 2, law="sign")}),
        (NOT_THEIRS, lambda t: {"tensors": lied(t, 2, gain=2.0)}),
        (NOT_THEIRS, lambda t: {"tensors": lied(t, 2, stream="x")}),
        ("mixing: the mask keeps .* weights, the ticket says 1", lambda t: {"tensors": lied(t, 2, kept=1)}),
        ("mixing: .* are kept, yet there is no mask", lambda t: {"masks": {}}),
        ("mixing: expected a mask of", lambda t: {"masks": {**t.masks, "layers/0/mixing": BYTE}}),
        ("lift: what is kept follows from the seed", lambda t: {"masks": {**t.masks, "layers/0/lift": BYTE}}),
        ("a mask is stored for 'v'", lambda t: {"masks": {**t.masks, "v": BYTE}}),
        ("lift: moves are stored exactly where", lambda t: {"moves": {"layers/0/lift": np.ones(1, np.float32)}}),
        ("mixing: moves are stored exactly where", lambda t: {"tensors": lied(t, 2, moved=True)}),
        ("claims about layers/0; the ticket has the maps layers/0, layers/1", lambda t: claiming(t, first)),
        ("claims about layers/1, layers/0; the ticket", lambda t: claiming(t, backwards)),
        ("a map 'v', which the ticket does not have", lambda t: told(t, names={"v": ("w", None)})),
        ("a map 'v', which the ticket does not have", lambda t: told(t, folded={"v": ("norm",)})),
        ("a map 'v', which the ticket does not have", lambda t: told(t, misses=(Miss("v", 0, 0, "positive", 1.0),))),
        (r"layers/0: a dense map of 3 .* shape \(4,\)", lambda t: {"inputs": Inputs((4,))}),
    ],
)
def test_a_constructed_ticket_that_contradicts_itself_is_refused(reason, change):
    ticket, _ = any_ticket()
    with pytest.raises(InputError, match=reason):
        replace(ticket, **change(ticket))


def claiming(ticket, change):
    return {"claims": replace(ticket.claims, maps=change(ticket.claims.maps))}


def told(ticket, **lies):
    return {"provenance": replace(ticket.provenance, **lies)}


def backwards(mapping):
    return dict(reversed(mapping.items()))


def first(mapping):
    return dict([next(iter(mapping.items()))])


def lied(ticket, index, **lies):
    tensors = list(ticket.tensors)
    tensors[index] = replace(tensors[index], **lies)
    return tuple(tensors)


def test_the_same_ticket_with_nothing_changed_is_accepted():
    """The guards above refuse the lie, not the way it is told."""
    ticket, _ = any_ticket()
    assert encode(replace(ticket)) == encode(forged(ticket)) == encode(ticket)
    assert encode(replace(ticket, tensors=lied(ticket, 0), gadgets=dict(ticket.gadgets))) == encode(ticket)


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        ("network.name: expected a printable text", lambda: Builtin("")),
        ("relu_mlp is the network of constructed tickets; use mlp", lambda: Builtin("relu_mlp")),
        ("network.arguments.f: expected plain data", lambda: Builtin("mlp", {"f": len})),
        ("provenance.version: expected a printable text", lambda: Provenance("1\0", "m", {})),
        ("provenance.version: expected a printable text", lambda: Provenance("1" * 101, "m", {})),
        ("provenance.method: expected a printable text", lambda: Provenance("1", "m\0", {})),
        ("provenance.method: expected a printable text", lambda: Provenance("1", "m" * 201, {})),
        ("provenance.data: expected a printable text", lambda: Provenance("1", "m", {}, "")),
        ("folded: .*each once; got nothing", lambda: Provenance("1", "m", {}, folded={"v": ()})),
        ("folded: .*each once; got a, b, a", lambda: Provenance("1", "m", {}, folded={"v": ("a", "b", "a")})),
        ("folded: expected a printable text", lambda: Provenance("1", "m", {}, folded={"v": ("a\0",)})),
        ("provenance.attempts: expected a count from 1, got 0", lambda: Provenance("1", "m", {}, attempts=0)),
        ("provenance.asked.x: .*finite", lambda: Provenance("1", "m", {"x": float("inf")})),
    ],
)
def test_records_refuse_what_no_network_and_no_origin_is(reason, make):
    with pytest.raises(InputError, match=reason):
        make()


def test_what_was_asked_is_kept_as_plain_data():
    asked = decode(encode(any_learned())).provenance.asked
    assert asked["policy"] == {"skip": ["fc"]}
    assert asked["seed"] == 10**40
    assert plain({"n": np.int64(3), "x": np.float32(0.5), "t": (np.bool_(True), None)}, "asked") == {
        "n": 3,
        "x": 0.5,
        "t": [True, None],
    }
    deep: list = []
    for _ in range(20):
        deep = [deep]
    for value in (deep, [0] * 10_001, 10**100, {1: 2}, {"a\n": 1}, "\x07", "n" * 1001, b"x", float("nan"), object()):
        with pytest.raises(InputError, match="asked"):
            plain(value, "asked")
