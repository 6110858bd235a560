"""Learned tickets: the file gives every weight back bit for bit, and nothing that contradicts itself is accepted."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import references.learned
from helpers.learned import any_learned, coins, float32, ticket_with
from helpers.tickets import any_ticket

from slth import InputError
from slth.construction import Request
from slth.evidence import verify
from slth.numerics import Stream, draw
from slth.records import Verdict
from slth.ticket import (
    DamagedTicketError,
    RandomTensor,
    TicketError,
    decode,
    encode,
    load,
    save,
    stored_mask_bits,
    summary,
    take_apart,
)


@pytest.fixture(scope="module")
def data():
    return encode(any_learned())


def same(a, b):
    """All fields of two tickets are equal."""
    for name in ("seed", "network", "inputs", "tensors", "move_bound", "heads", "digests", "provenance"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("masks", "moves", "carried"):
        ours, theirs = getattr(a, name), getattr(b, name)
        assert list(ours) == list(theirs), name
        for path, values in ours.items():
            assert values.dtype == theirs[path].dtype
            assert values.shape == theirs[path].shape
            assert values.tobytes() == theirs[path].tobytes()
    return True


def test_what_is_written_is_read_back(data, tmp_path):
    ticket = any_learned()
    assert same(decode(data), ticket)
    assert encode(decode(data)) == data
    path = save(ticket, tmp_path / "t.slth")
    assert path.read_bytes() == data
    assert same(load(path), ticket)


def test_the_reader_written_from_the_specification_gets_the_same_weights(data):
    """And the same heads and digests: FORMAT.md suffices."""
    ticket = any_learned()
    meta, state, heads, digests = references.learned.read(data)
    assert {tensor["mask"] and tensor["mask"]["encoding"] for tensor in meta["tensors"]} == {None, "bits", "rans"}
    assert heads == list(ticket.heads.values())
    assert digests == list(ticket.digests.values())
    for tensor in ticket.tensors:
        for path in (tensor.path, *tensor.aliases):
            assert ticket.effective(path).tobytes() == state[path].tobytes()
    for name, values in ticket.carried.items():
        assert np.array_equal(values, state[name])
        assert values.shape == state[name].shape


def test_the_safetensors_library_reads_the_file(data, tmp_path):
    from safetensors import safe_open

    (tmp_path / "t.slth").write_bytes(data)
    with safe_open(tmp_path / "t.slth", framework="numpy") as file:
        assert set(file.metadata()) == {"slth"}
        assert file.get_tensor("2.weight.move").tobytes() == any_learned().moves["2.weight"].tobytes()
        assert file.get_tensor("carried/norm.steps") == 7
        assert file.get_tensor("carried/é.bytes").tolist() == [0, 1, 2]


def test_every_single_bit_flip_is_rejected():
    tensor = RandomTensor("w", (3, 5), "normal", 0.5, 7, moved=True)
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


@pytest.mark.parametrize("shape", [(), (0,), (2**40, 0), (0, 2**40), (2**20, 2**20, 0), (1,) * 8, (0,) * 8], ids=str)
def test_an_array_is_carried_whatever_its_shape(shape):
    """One without entries takes no bytes, however long its other axes are."""
    array = np.ones(shape, np.uint8)
    data = encode(ticket_with([RandomTensor("w", (), "sign", kept=1)], carried={"x": array}))
    assert len(data) < 2000
    assert decode(data).carried["x"].shape == shape
    assert encode(decode(data)) == data


def test_large_tensors_go_in_blocks_and_no_seam_shows():
    """Blocks hold 2^20 weights: one operation after the other on the whole tensor gives the same bits."""
    size, kept = (1 << 20) + 12_345, 600_000
    scale, gain = float32(0.3), float32(-1.7)
    tensor = RandomTensor("w", (size,), "normal", scale, kept, gain=gain, moved=True)
    ticket = ticket_with([tensor])
    keep = coins((size,), kept)
    w = draw(Stream(5, "w"), "normal", (size,)) * np.float32(scale)
    w[keep] += ticket.moves["w"]
    w *= np.float32(gain)
    w[~keep] = 0
    assert ticket.effective("w").tobytes() == w.tobytes()
    assert ticket.digests["w"] == hashlib.sha256(w.astype("<f4").tobytes()).hexdigest()


def test_a_sign_of_zero_is_plus_one():
    """sign law, scale 1/2, and a move of exactly -1/2: w + Δ = 0 counts as +1."""
    tensor = RandomTensor("w", (40,), "sign", 0.5, 40, binary=True, moved=True)
    start = draw(Stream(5, "w"), "sign", (40,)) * np.float32(0.5)
    ticket = ticket_with([tensor], moves={"w": np.full(40, -0.5, np.float32)})
    assert ticket.effective("w").tolist() == [1.0 if value > 0 else -1.0 for value in start]


def test_counts(data):
    ticket = decode(data)
    assert (ticket.size, ticket.kept) == (15 + 12 + 400 + 4, 7 + 6 + 5 + 4)
    assert ticket.density == 22 / 431
    assert ticket.mask_bits == 15 + 12 + 400  # of the full tensor none
    stored = sum(t["mask"]["bytes"] for t in references.learned.read(data)[0]["tensors"] if t["mask"])
    assert stored_mask_bits(ticket) == 8 * stored < ticket.mask_bits
    assert ticket.carried_numbers == 1 + 2 + 3 + 2 + 0 + 3 + 1  # and a gain
    assert not ticket.strong
    assert ticket.largest_move == float(np.abs(ticket.moves["2.weight"]).max()) > 0
    assert any_learned(moved=False).strong


def test_a_ticket_says_what_is_inside():
    rows = dict(summary(any_learned()))
    assert rows["density"] == "22/431 = 0.0510441"
    assert rows["masked weights"] == "431 in 4 tensors"
    assert rows["moved"].startswith("6 weights, by at most 0.0")
    assert "claimed: at most 0.25" in rows["moved"]
    assert "apply" in rows["network"]
    assert dict(summary(any_learned(moved=False)))["moved"] == "nothing: a strong ticket"
    assert repr(any_learned()) == "Ticket(bound, seed 5, coin flips, 22 of 431 weights kept, moved)"


def test_an_honest_ticket_verifies(tmp_path):
    for ticket in (any_learned(), any_learned(moved=False)):
        found = verify(save(ticket, tmp_path / "t.slth"))
        assert [check.name for check in found.checks] == [
            *("integrity", "streams", "masks", "moves", "weights"),
            *("network", "inputs", "carried", "origin"),  # what the file says
        ]
        assert {check.verdict for check in found.checks[:5]} == {Verdict.HOLDS}
        assert {check.verdict for check in found.checks[5:]} == {Verdict.SAYS}
    assert found.checks[3].detail == "strong: nothing moved"
    with pytest.raises(InputError, match="no target"):
        verify(any_learned(), target=any_ticket()[1])


def forged(ticket, index, **lies):
    """A ticket that says something else of a tensor, written with a right digest."""
    tensors = list(ticket.tensors)
    before, tensors[index] = tensors[index].path, replace(tensors[index], **lies)

    def renamed(mapping):
        return {tensors[index].path if path == before else path: value for path, value in mapping.items()}

    by_path = {name: renamed(getattr(ticket, name)) for name in ("masks", "moves", "heads", "digests")}
    return replace(ticket, tensors=tuple(tensors), **by_path)


def failed(ticket, tmp_path):
    return {check.name for check in verify(save(ticket, tmp_path / "f.slth")).checks if check.verdict is Verdict.FAILS}


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
    assert failed(replace(ticket, masks={**ticket.masks, "0.weight": mask}), tmp_path) == {"weights"}
    move = ticket.moves["2.weight"].copy()
    move[0] += np.float32(2**-10)
    assert failed(replace(ticket, moves={"2.weight": move}), tmp_path) == {"weights"}


def test_moves_beyond_the_claim_are_found(tmp_path):
    ticket = any_learned()
    exactly = ticket.largest_move
    assert not failed(replace(ticket, move_bound=exactly), tmp_path)
    below = float(np.nextafter(exactly, 0))
    assert failed(replace(ticket, move_bound=below), tmp_path) == {"moves"}
    unclaimed = verify(replace(ticket, move_bound=None))
    assert unclaimed.holds
    assert "not strong" in unclaimed.checks[2].detail
    assert "no bound is claimed" in unclaimed.checks[2].detail


def test_a_tampered_ticket_in_memory_is_found():
    ticket = any_learned()
    mask = ticket.masks["0.weight"]
    mask[0] ^= 1
    wrong = [check.name for check in verify(ticket).checks if check.verdict is Verdict.FAILS]
    assert wrong == ["masks", "weights"]


def test_no_file_asks_for_more_work_than_it_pays_for():
    """2^28 weights, or 2,048 per byte: a mask coded to almost nothing is then stored plain."""
    full = RandomTensor("w", (1 << 14, (1 << 14) + 1), "sign", 0.5, (1 << 28) + (1 << 14))
    from attacks.learned import parts_of, sealed_runs

    meta, runs = parts_of(encode(ticket_with([RandomTensor("w", (2, 2), "sign", 0.5, 4)])))
    meta["tensors"][0] |= {"shape": list(full.shape), "kept": full.kept}
    with pytest.raises(TicketError, match="far more random weights"):
        decode(sealed_runs(meta, runs))


def test_learned_and_constructed_tickets_are_told_apart(tmp_path):
    """By what is there: maps made by gadgets, and claims about them, or neither."""
    learned = save(any_learned(), tmp_path / "learned.slth")
    constructed = save(any_ticket()[0], tmp_path / "constructed.slth")
    assert b"learned" in learned.read_bytes()
    assert b"learned" not in constructed.read_bytes()
    assert [*load(constructed).gadgets] == [*load(constructed).maps] == [*load(constructed).claims.maps] != []
    ticket = load(learned)
    assert not ticket.gadgets
    assert not ticket.maps
    assert ticket.claims is None
    with pytest.raises(InputError, match=r"no map is called 'layers/0'; the ticket has none"):
        ticket.realised("layers/0")
    with pytest.raises(InputError, match=r"the ticket has the maps \(none\); there is no layers/0"):
        take_apart(ticket, "layers/0", output=0, input=0)
    with pytest.raises(InputError, match="the source is a learned ticket; give one that `slth construct` wrote"):
        Request(source=ticket)
