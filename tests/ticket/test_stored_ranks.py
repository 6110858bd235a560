"""Masks as ranks in the files of version 2: written where they are shortest, read by anyone's bytes or refused."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from helpers.tickets import any_ticket
from helpers.version2_files import changed, parts, sealed

import slth
from slth.ticket import TicketError, bits_of, decode, encode, realised_digest, stored_mask_bits
from slth.ticket.format import masks, ranks, rans

realise = import_module("slth.ticket.realise")  # in whose package a function is called so
GOLDEN = Path(__file__).parent.parent / "golden"

IMAGE = {"input_shape": (2, 6, 6), "input_range": (-1.0, 1.0)}


def net(seed=0):
    rng = np.random.default_rng(seed)
    return {"a.weight": rng.normal(size=(40, 30)) / 8, "a.bias": rng.normal(size=40) / 8} | {
        "b.weight": rng.normal(size=(20, 40)) / 4,
        "b.bias": rng.normal(size=20) / 4,
    }


def made(objective, **options):
    return slth.construct(net(), input_range=(-1, 1), relative_tolerance=0.01, objective=objective, **options)


@pytest.fixture(scope="module")
def ticket():
    return made("fewest")


@pytest.fixture(scope="module")
def convolutional():
    """With biases, groups and signed channels: bits beyond tap 0 stand elsewhere."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(2, 16, 3, groups=2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(256, 3)
    )
    return slth.construct(model, relative_tolerance=0.01, objective="fewest", **IMAGE)


def encodings(data):
    return [entry["mask"]["encoding"] for entry in parts(data)[0]["tensors"] if entry["mask"]]


@pytest.mark.parametrize("name", ["ticket", "convolutional"])
def test_the_masks_of_fewest_are_ranks_and_come_back(name, request):
    ticket = request.getfixturevalue(name)
    data = encode(ticket)
    assert encodings(data) == ["rank", "rank"]
    read = decode(data)
    assert all((read.masks[path] == bits).all() for path, bits in ticket.masks.items())
    assert encode(read) == data
    stored = [entry["mask"]["bytes"] for entry in parts(data)[0]["tensors"] if entry["mask"]]
    assert stored_mask_bits(ticket) == 8 * sum(stored)
    problems = sum(ticket.gadgets[path].cost(op).problems for path, op in ticket.maps.items())
    assert 8 * sum(stored) < 9 * problems < ticket.mask_bits / 2


@pytest.mark.parametrize("name", ["ticket", "convolutional"])
def test_any_number_of_threads_writes_the_same_file_and_finds_the_same(name, request, monkeypatch, tmp_path):
    """In pieces so small that each thread has some."""
    ticket = request.getfixturevalue(name)
    data = encode(ticket)
    monkeypatch.setattr(ranks, "_SUBSETS", 64)
    monkeypatch.setattr(realise, "_ALONE", 0)
    other = replace(ticket, digests=dict.fromkeys(ticket.digests, "0" * 64))
    verdicts = [slth.verify(made, threads=1).checks for made in (ticket, other)]
    assert [all(check.verdict.name != "FAILS" for check in checks) for checks in verdicts] == [True, False]
    for threads in (1, 2, 3):
        file = slth.save(ticket, tmp_path / f"{threads}.slth", threads=threads)
        assert file.read_bytes() == data
        assert encode(slth.load(file, threads=threads)) == data
        assert [slth.verify(made, threads=threads).checks for made in (ticket, other)] == verdicts
        for path in ticket.maps:
            parts = [ticket.realised(path, threads=count) for count in (1, threads)]
            assert len({realised_digest(part) for part in parts}) == 1


def test_nothing_is_written_that_would_be_read_as_another_mask(ticket, monkeypatch):
    def other(*given, **named):
        found = expand(*given, **named)
        found[0] ^= 1
        return found

    expand = ranks.expand
    monkeypatch.setattr(ranks, "expand", other)
    with pytest.raises(slth.InputError, match="would be read as another one"):
        encode(ticket)


def test_few_are_kept_and_all_of_them_are_within_the_tolerance(ticket):
    other = made("within")
    assert ticket.misses == other.misses == 0
    assert ticket.candidates_kept < other.candidates_kept / 2
    assert slth.verify(ticket, target=net()).holds


def test_masks_that_keep_half_are_not_ranks():
    assert set(encodings(encode(made("closest")))) <= {"bits", "rans"}


def test_version_1_has_no_ranks():
    """What was written in version 1 still is, and its masks as they were."""
    data = encode(any_ticket((40, 30, 2), density=0.02)[0])
    assert parts(data)[0]["format"] == 1
    assert {layer["mask"]["encoding"] for layer in parts(data)[0]["layers"]} <= {"bits", "rans"}
    sparse = (GOLDEN / "v1-sparse.slth").read_bytes()
    assert encode(decode(sparse)) == sparse


def with_mask(data, number, encoding, stored):
    """The same file with another mask under some encoding."""
    meta, entries, body = parts(data)
    at = [i for i, entry in enumerate(meta["tensors"]) if entry["mask"]][number]
    name = f"{meta['tensors'][at]['path']}.mask"
    start, stop = entries[name]["data_offsets"]
    body = body[:start] + stored + body[stop:]
    meta = changed(meta, ("tensors", at, "mask"), {"encoding": encoding, "bytes": len(stored)})
    shift = len(stored) - (stop - start)
    entries[name] = {"dtype": "U8", "shape": [len(stored)], "data_offsets": [start, stop + shift]}
    for other, entry in entries.items():
        if other != name and entry["data_offsets"][0] >= stop:
            entry["data_offsets"] = [offset + shift for offset in entry["data_offsets"]]
    return sealed(meta, entries, body)


def run_of(data, number):
    """Bytes of a stored mask."""
    meta, entries, body = parts(data)
    path = [entry["path"] for entry in meta["tensors"] if entry["mask"]][number]
    start, stop = entries[f"{path}.mask"]["data_offsets"]
    return body[start:stop]


def test_a_mask_of_ranks_under_another_name_is_refused(ticket):
    data = encode(ticket)
    own = run_of(data, 0)
    assert with_mask(data, 0, "rank", own) == data
    with pytest.raises(TicketError, match="cannot be decoded"):
        decode(with_mask(data, 0, "rans", own))
    with pytest.raises(TicketError, match=r"expected .* bytes for"):
        decode(with_mask(data, 0, "bits", own))


def test_any_encoding_of_the_same_mask_is_the_same_ticket(ticket):
    """A writer chooses; a reader takes each, and writes what it would choose itself."""
    data, (path, bits) = encode(ticket), next(iter(ticket.masks.items()))
    coded = rans.compress(bits, bits_of(ticket.gadgets, ticket.maps)[path], most=10**6)
    for encoding, stored in (("bits", bytes(bits)), ("rans", coded)):
        read = decode(with_mask(data, 0, encoding, stored))
        assert (read.masks[path] == bits).all()
        assert encode(read) == data


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_noise_for_ranks_is_refused_or_is_another_ticket(ticket, seed):
    """Flipped, cut, longer, exchanged: refused in a sentence, or another mask that keeps as many."""
    data = encode(ticket)
    own = run_of(data, 1)
    rng = np.random.default_rng(seed)
    for number in range(150):
        stirred = bytearray(own)
        if number % 3 == 0:
            stirred = stirred[: int(rng.integers(0, len(own)))] or b"\0"
        elif number % 3 == 1:
            stirred[int(rng.integers(len(own)))] ^= 1 << int(rng.integers(8))
        else:
            stirred = bytearray(rng.bytes(int(rng.integers(1, 2 * len(own)))))
        try:
            read = decode(with_mask(data, 1, "rank", bytes(stirred)))
        except TicketError:
            continue
        assert run_of(encode(read), 1) == bytes(stirred)


def test_ranks_need_a_lift_that_ends_where_it_says(ticket):
    """The subsets follow from the scan; one that ends elsewhere leaves none."""
    meta, entries, body = parts(encode(ticket))
    path = next(iter(meta["gadgets"]))
    stage = {**meta["gadgets"][path]["stages"][0]}
    stage["neurons"] -= 1
    meta = changed(meta, ("gadgets", path, "stages", 0), stage)
    for at, entry in enumerate(meta["tensors"]):
        if entry["path"].startswith(f"{path}/"):
            meta = changed(meta, ("tensors", at, "shape", 0), stage["neurons"])
    with pytest.raises(TicketError, match="width is wrong"):
        decode(sealed(meta, entries, body))


def test_parameters_have_no_ranks():
    """Masks of a network that is not made of gadgets are not cut into subsets."""
    with pytest.raises(TicketError, match="which alone have ranks"):
        masks.restore_mask(b"\x01\x00\x80" + (2**32).to_bytes(8, "little"), "rank", 10, owner="1.weight")


def test_without_subsets_a_sparse_mask_is_coded_bit_by_bit():
    sparse = np.packbits(np.arange(1000) % 50 == 0, bitorder="little")
    stored = masks.store_masks([(sparse, 1000, None)], justified=lambda size: True)
    assert [encoding for encoding, _ in stored] == ["rans"]
    assert (masks.restore_mask(stored[0][1], "rans", 1000, owner="1.weight") == sparse).all()


def test_every_stage_has_ranks_of_its_own():
    ticket = slth.construct(net(), input_range=(0, 1), relative_tolerance=1e-8, objective="fewest")
    assert all(gadget.stage_count == 2 for gadget in ticket.gadgets.values())
    data = encode(ticket)
    assert encodings(data).count("rank") >= 2
    read = decode(data)
    assert all((read.masks[path] == bits).all() for path, bits in ticket.masks.items())
    assert encode(read) == data


def test_the_plan_knows_how_long_ranks_are(ticket):
    """Each is log2(g/τ) bits long and a constant: what a finer tolerance adds to the file is known within a fifth."""
    asked = {"input_range": (-1, 1), "objective": "fewest"}
    coarse, fine = (slth.plan(net(), relative_tolerance=tolerance, **asked) for tolerance in (0.01, 0.001))
    finer = slth.construct(net(), relative_tolerance=0.001, **asked)
    added = stored_mask_bits(finer) - stored_mask_bits(ticket)
    assert 8 * (fine.file_bytes - coarse.file_bytes) == pytest.approx(added, rel=0.2)
    assert coarse.packing_bits > 0
    assert 0 < coarse.quantiser_bits < stored_mask_bits(ticket)
