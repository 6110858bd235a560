"""Learned tickets: the file gives every weight back bit for bit, and nothing that contradicts itself is accepted."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import references.learned
from helpers.learned import any_learned, coins, float32, ticket_with
from helpers.tickets import any_ticket

from slth import InputError
from slth.evidence import Verdict, verify
from slth.numerics import Stream, draw
from slth.ticket import (
    DamagedTicketError,
    InputSpec,
    LearnedProvenance,
    LearnedTicket,
    MaskedTensor,
    NetworkSpec,
    TicketError,
    decode,
    encode,
    learned_ticket,
    load,
    load_constructed,
    plain,
)


@pytest.fixture(scope="module")
def data():
    return encode(any_learned())


def same(a, b):
    """All fields of two tickets are equal."""
    for name in ("seed", "network", "inputs", "tensors", "epsilon", "heads", "digests", "provenance"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("masks", "moves"):
        for x, y in zip(getattr(a, name), getattr(b, name), strict=True):
            assert (x is None and y is None) or (x.dtype == y.dtype and np.array_equal(x, y))
    assert list(a.carried) == list(b.carried)
    for name, values in a.carried.items():
        assert values.dtype == b.carried[name].dtype
        assert values.shape == b.carried[name].shape
        assert values.tobytes() == b.carried[name].tobytes()
    return True


def test_what_is_written_is_read_back(data, tmp_path):
    ticket = any_learned()
    assert same(decode(data), ticket)
    assert encode(decode(data)) == data
    path = ticket.save(tmp_path / "t.slth")
    assert path.read_bytes() == data
    assert same(load(path), ticket)


def test_the_reader_written_from_the_specification_gets_the_same_weights(data):
    """And the same heads and digests: FORMAT.md suffices."""
    ticket = any_learned()
    meta, state, heads, digests = references.learned.read(data)
    assert {tensor["mask"] and tensor["mask"]["encoding"] for tensor in meta["tensors"]} == {None, "bits", "rans"}
    assert heads == list(ticket.heads)
    assert digests == list(ticket.digests)
    for tensor in ticket.tensors:
        for path in (tensor.path, *tensor.aliases):
            assert ticket.weight(path).tobytes() == state[path].tobytes()
    for name, values in ticket.carried.items():
        assert np.array_equal(values, state[name])
        assert values.shape == state[name].shape


def test_the_safetensors_library_reads_the_file(data, tmp_path):
    from safetensors import safe_open

    (tmp_path / "t.slth").write_bytes(data)
    with safe_open(tmp_path / "t.slth", framework="numpy") as file:
        assert set(file.metadata()) == {"slth"}
        assert file.get_tensor("2.weight.move").tobytes() == any_learned().moves[1].tobytes()
        assert file.get_tensor("carried/norm.steps") == 7
        assert file.get_tensor("carried/é.bytes").tolist() == [0, 1, 2]


def test_every_single_bit_flip_is_rejected():
    tensor = MaskedTensor("w", (3, 5), "normal", 0.5, 7, moved=True)
    data = encode(ticket_with([tensor], carried={"b": np.ones(2, np.float32)}))
    for at in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            with pytest.raises(TicketError):
                decode(bytes(flipped))


def test_every_truncation_and_extension_is_rejected(data):
    for end in range(0, len(data), 3):
        with pytest.raises(TicketError):
            decode(data[:end])
    with pytest.raises(DamagedTicketError):
        decode(data + b"\0")


def test_large_tensors_go_in_blocks_and_no_seam_shows():
    """Blocks hold 2^20 weights: one operation after the other on the whole tensor gives the same bits."""
    size, kept = (1 << 20) + 12_345, 600_000
    scale, gain = float32(0.3), float32(-1.7)
    tensor = MaskedTensor("w", (size,), "normal", scale, kept, gain=gain, moved=True)
    ticket = ticket_with([tensor])
    keep = coins((size,), kept)
    w = draw(Stream(5, "w"), "normal", (size,)) * np.float32(scale)
    w[keep] += ticket.moves[0]
    w *= np.float32(gain)
    w[~keep] = 0
    assert ticket.weights(0).tobytes() == w.tobytes()
    assert ticket.digests[0] == hashlib.sha256(w.astype("<f4").tobytes()).hexdigest()


def test_a_sign_of_zero_is_plus_one():
    """sign law, scale 1/2, and a move of exactly -1/2: w + Δ = 0 counts as +1."""
    tensor = MaskedTensor("w", (40,), "sign", 0.5, 40, binary=True, moved=True)
    start = draw(Stream(5, "w"), "sign", (40,)) * np.float32(0.5)
    ticket = ticket_with([tensor], moves=[np.full(40, -0.5, np.float32)])
    assert ticket.weights(0).tolist() == [1.0 if value > 0 else -1.0 for value in start]


def test_counts(data):
    ticket = decode(data)
    assert (ticket.size, ticket.kept) == (15 + 12 + 400 + 4, 7 + 6 + 5 + 4)
    assert ticket.density == 22 / 431
    assert ticket.mask_bits == 15 + 12 + 400  # of the full tensor none
    stored = sum(t["mask"]["bytes"] for t in references.learned.read(data)[0]["tensors"] if t["mask"])
    assert ticket.stored_mask_bits == 8 * stored < ticket.mask_bits
    assert ticket.carried_numbers == 1 + 2 + 3 + 2 + 0 + 3 + 1  # and a gain
    assert not ticket.strong
    assert ticket.largest_move == float(np.abs(ticket.moves[1]).max()) > 0
    assert any_learned(moved=False).strong


def test_a_ticket_says_what_is_inside():
    rows = dict(any_learned().summary())
    assert rows["density"] == "22/431 = 0.0510441"
    assert rows["masked weights"] == "431 in 4 tensors"
    assert rows["moved"].startswith("6 weights, by at most 0.0")
    assert "claimed: at most 0.25" in rows["moved"]
    assert "apply" in rows["network"]
    assert dict(any_learned(moved=False).summary())["moved"] == "nothing: a strong ticket"
    assert repr(any_learned()) == "LearnedTicket(bound, seed 5, coin flips, 22 of 431 weights kept, moved)"
    assert "<table>" in any_learned()._repr_html_()


def test_an_honest_ticket_verifies(tmp_path):
    for ticket in (any_learned(), any_learned(moved=False)):
        found = verify(ticket.save(tmp_path / "t.slth"))
        assert [check.name for check in found.checks] == ["integrity", "streams", "masks", "moves", "weights"]
        assert {check.verdict for check in found.checks} == {Verdict.HOLDS}
    assert found.checks[3].detail == "strong: nothing moved"
    with pytest.raises(InputError, match="no target"):
        verify(any_learned(), target=())


def forged(ticket, index, **lies):
    """A ticket that says something else of a tensor, written with a right digest."""
    tensors = list(ticket.tensors)
    tensors[index] = replace(tensors[index], **lies)
    return replace(ticket, tensors=tuple(tensors))


def failed(ticket, tmp_path):
    return {check.name for check in verify(ticket.save(tmp_path / "f.slth")).checks if check.verdict is Verdict.FAILS}


@pytest.mark.parametrize(
    ("index", "lies", "found"),
    [
        (0, {"law": "uniform"}, {"streams"}),  # it counts as signs, and uniform numbers have the same ones
        (1, {"law": "normal"}, {"streams", "weights"}),
        (2, {"law": "normal"}, {"streams", "weights"}),
        (0, {"scale": 0.25}, {"streams"}),
        (1, {"scale": 0.5}, {"streams", "weights"}),
        (0, {"gain": 1.0}, {"weights"}),
        (0, {"gain": float(np.nextafter(np.float32(0.7), np.float32(1)))}, {"weights"}),
        (0, {"binary": False}, {"weights"}),
        (1, {"stream": ""}, {"streams", "weights"}),
        (1, {"stream": "2.weight@2"}, {"streams", "weights"}),
        (0, {"shape": (5, 3)}, set()),  # true of the numbers; whether it fits is for the network to say
        (3, {"path": "7.weight"}, {"streams", "weights"}),
    ],
)
def test_a_lie_about_a_tensor_is_found(index, lies, found, tmp_path):
    assert failed(forged(any_learned(), index, **lies), tmp_path) == found


def test_a_lie_about_the_counts_is_no_ticket():
    for index, lies, reason in (
        (0, {"kept": 8}, "the mask keeps 7 weights, the ticket says 8"),
        (0, {"kept": 15}, "every weight is kept"),
        (3, {"kept": 3}, "there is no mask"),
        (1, {"kept": 5}, "keeps 6 weights"),
        (1, {"moved": False}, "moves are stored exactly where"),
        (0, {"moved": True}, "moves are stored exactly where"),
        (2, {"shape": (2, 300)}, "a mask of 600 bits"),
    ):
        with pytest.raises(InputError, match=reason):
            forged(any_learned(), index, **lies)


def test_a_lie_about_the_kept_weights_is_refused_in_the_file(data):
    """Even with a right digest: the count of the mask's ones is checked before anything else is made of it."""
    from attacks.learned import parts_of, sealed_runs

    meta, runs = parts_of(data)
    meta["tensors"][0]["kept"] = 8
    with pytest.raises(TicketError, match=r"0\.weight: the mask keeps 7 weights, the ticket says 8"):
        decode(sealed_runs(meta, runs))


def test_another_seed_mask_or_move_is_found(tmp_path):
    ticket = any_learned()
    assert failed(replace(ticket, seed=6), tmp_path) == {"streams", "weights"}
    mask = np.packbits(~coins((3, 5), 8, seed=0).reshape(-1), bitorder="little")
    assert failed(replace(ticket, masks=(mask, *ticket.masks[1:])), tmp_path) == {"weights"}
    move = ticket.moves[1].copy()
    move[0] += np.float32(2**-10)
    assert failed(replace(ticket, moves=(None, move, None, None)), tmp_path) == {"weights"}


def test_moves_beyond_the_claim_are_found(tmp_path):
    ticket = any_learned()
    exactly = ticket.largest_move
    assert not failed(replace(ticket, epsilon=exactly), tmp_path)
    below = float(np.nextafter(exactly, 0))
    assert failed(replace(ticket, epsilon=below), tmp_path) == {"moves"}
    unclaimed = verify(replace(ticket, epsilon=None))
    assert unclaimed.holds
    assert "not strong" in unclaimed.checks[2].detail
    assert "no bound is claimed" in unclaimed.checks[2].detail


def test_a_tampered_ticket_in_memory_is_found():
    ticket = any_learned()
    mask = ticket.masks[0]
    mask[0] ^= 1
    wrong = [check.name for check in verify(ticket).checks if check.verdict is Verdict.FAILS]
    assert wrong == ["masks", "weights"]


@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        ({"path": ""}, "printable"),
        ({"path": "a\nb"}, "printable"),
        ({"aliases": ("\u202e",)}, "printable"),
        ({"stream": "w"}, "only if it is another"),
        ({"shape": (4, 0)}, "shape"),
        ({"shape": (1,) * 9}, "shape"),
        ({"shape": (2**20, 2**21)}, "shape"),
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
        MaskedTensor(**fields)


def test_what_contradicts_the_layout_is_refused():
    one = MaskedTensor("w", (3, 4), "sign", 0.5, 6)
    moved = replace(one, moved=True)
    honest = ticket_with([one])

    def carried(**arrays):
        return lambda: ticket_with([one], carried=arrays)

    cases = {
        "called 'w'": lambda: ticket_with([one, replace(one, law="normal")]),
        "streams are called 'w'": lambda: ticket_with([one, replace(one, path="v", stream="w")]),
        "two parameters are called 'v'": lambda: ticket_with([replace(one, aliases=("v",))], carried={"v": np.ones(1)}),
        "parts of the file": lambda: ticket_with([replace(one, path="carried/v")], carried={"v.mask": np.ones(1)}),
        "holds NaN": carried(b=np.array([np.nan], np.float32)),
        "holds NaN or infinity": carried(b=np.array([np.inf])),
        "b is complex64": carried(b=np.ones(1, np.complex64)),
        "carried array: expected a printable": lambda: ticket_with([one], carried={"\x1b": np.ones(1)}),
        "finite moves": lambda: ticket_with([moved], moves=[np.full(6, np.nan, np.float32)]),
        "one per kept weight": lambda: ticket_with([moved], moves=[np.ones(5, np.float32)]),
        "every move is 0": lambda: ticket_with([moved], moves=[np.zeros(6, np.float32)]),
        "positive number": lambda: ticket_with([one], epsilon=0.0),
        "at least one masked tensor": lambda: ticket_with([]),
        "padded with zeros": lambda: replace(honest, masks=(honest.masks[0] | np.uint8([0, 16]),)),
        "no masked tensor is called": lambda: honest.weight("x"),
    }
    for reason, make in cases.items():
        with pytest.raises(InputError, match=reason):
            make()
    with pytest.raises(InputError, match="bool mask"):
        learned_ticket(
            seed=0,
            network=honest.network,
            inputs=None,
            tensors=(one,),
            kept=[np.ones((4, 3), np.bool_)],
            moves=[None],
            epsilon=None,
            carried={},
            provenance=honest.provenance,
        )


def test_records_refuse_what_no_network_is():
    for make, reason in (
        (lambda: NetworkSpec("bound", "mlp"), "neither name"),
        (lambda: NetworkSpec("builtin", None), "with a name"),
        (lambda: NetworkSpec("other", "mlp"), "builtin, with a name, or bound"),
        (lambda: NetworkSpec("builtin", "relu_mlp"), "constructed"),
        (lambda: NetworkSpec("builtin", "mlp", {"f": len}), "plain data"),
        (lambda: InputSpec((3, 8, 8), (0.0,), (1.0,)), "3 channels"),
        (lambda: InputSpec((0,), (0.0,), (1.0,)), "shape"),
        (lambda: InputSpec((4,), (0.0,), (0.0,)), "std > 0"),
        (lambda: LearnedProvenance("1", "m\0", {}, None), "printable"),
        (lambda: LearnedProvenance("1", "m", {"x": float("inf")}, None), "finite"),
    ):
        with pytest.raises(InputError, match=reason):
            make()


def test_inputs_are_normalised_in_float32():
    spec = InputSpec((2, 1, 3), (0.1, 0.25), (0.3, 2.0))
    x = np.arange(12, dtype=np.uint8).reshape(2, 2, 1, 3)
    found = spec.normalised(x)
    assert found.dtype == np.float32
    one = (np.float32(7) / np.float32(255) - np.float32(0.1)) / np.float32(0.3)
    assert found[1, 0, 0, 1] == one
    assert np.array_equal(InputSpec((3,), (0.0,), (1.0,)).normalised(x[:, 0, 0]), x[:, 0, 0] / np.float32(255))


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


def test_no_file_asks_for_more_work_than_it_pays_for():
    """2^28 weights, or 2,048 per byte: a mask coded to almost nothing is then stored plain."""
    full = MaskedTensor("w", (1 << 14, (1 << 14) + 1), "sign", 0.5, (1 << 28) + (1 << 14))
    from attacks.learned import parts_of, sealed_runs

    meta, runs = parts_of(encode(ticket_with([MaskedTensor("w", (2, 2), "sign", 0.5, 4)])))
    meta["tensors"][0] |= {"shape": list(full.shape), "kept": full.kept}
    with pytest.raises(TicketError, match="far more random weights"):
        decode(sealed_runs(meta, runs))


def test_learned_and_constructed_tickets_are_told_apart(tmp_path):
    learned = any_learned().save(tmp_path / "learned.slth")
    constructed = any_ticket()[0].save(tmp_path / "constructed.slth")
    assert isinstance(load(learned), LearnedTicket)
    assert not isinstance(load(constructed), LearnedTicket)
    assert b"learned" in learned.read_bytes()
    assert b"learned" not in constructed.read_bytes()
    assert load_constructed(constructed).seed == 5
    with pytest.raises(InputError, match="is a learned ticket"):
        load_constructed(learned)
