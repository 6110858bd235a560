"""Format version 2 can be read for ever: every kind of ticket in at most 4 KB."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import references.learned
from golden.make_v2 import TARGETS, bound, numbers
from helpers.version2_files import changed, parts, sealed, version_of
from references import version2_exact, version2_gadgets

import slth
from slth.evidence import verify
from slth.ticket import TicketError, decode, encode, load

FOLDER = Path(__file__).parent
DIGESTS = {
    "graph": "5535347e51d1fa79bfef02671baaa292c5dbf6dfbd62bc9f9ca3adbb8aa73624",
    "stages": "28438baae25d22b58cf8e3156916e81127069887172bcf14fd77340375170a21",
    "moves": "6170a61e660c8f31e2fdb0b0cdaa463a51dd999678e843fefd52f264e8c61eeb",
    "exact": "a4d9892960a244c73f912286f434a92a61e95d7b401cf6101e13b07a4158af7c",
    "fewest": "38215f597079ff26dab5fce611d8ddaa697385452c5b78a284d0f1ac8f6608c4",
    "exactly": "b09028cd426f672da9eef1c8c5fc9ff72b2ebb6f1695d4baee23fb038950b215",
    "centred": "a7cf9ef5b1d7f1edddd55db257b935951398071e62335c1671ffb8b675b36f91",
    "law": "c70bf73c3c39cb5ee93d604143e464a2515c210d96cef3b74502aa233227ecff",
    "copies": "a3089b86826a88aa48752a8dcb1afb76c442662a84fc38f15498e711b1e76f53",
    "neurons": "1b9c9498c8658a6228feede27ec83233ed0034fe929cdcd7665341b989361f6a",
    "single": "06a57dd8f63213f1c7ac7dc40da63cf91120b7fb6751e5d50eb9c028daed7f1f",
    "single-plain": "61025f6e2c6aa6168f834be03fa7104c67afc18fae89fcea3d6553608da778a1",
    "plain": "4b9f5e0d382df64745209f8f0aec5997564f9f9716c384c004900240be7629ec",
    "counts": "eabcd1fa099250588168c70abd48a0888eb042cf7d80675763c826366147ee5f",
    "doubling": "907e2d501618b22ebdb9bfb3bf0ec94048bbc1ebf0161d7bbaa4806b07309df1",
    "grid": "3a10324adb406f2da1ba9017e9b5cc6b95cd58692500e41a57f000a5e3d2604e",
    "linear": "77637c7d4f144e2e3c7fb11ba2a9b284fb424c2f9d4be0ff5cdf1aac2755a85d",
    "tokens": "27834fc756cbcbcc8f06922cdcbf08db5018033ddffc8ff298cce0d6131fd6d6",
    "turned": "e8a8ad191c60c86c4bf6fe15324cf48ac9e015233c752d7709fbe6c917061ad0",
    "members": "692bd148258c05c4ce476cbd930b9bcd37a8bb5111c932a6c8a6a3e98f663ae2",
    "layers": "4ec057b3ece16ac0c7bd2e2008207b498890c571c585d845c481a79cf81ddace",
    "merged": "67df903fe7cd9c91e8b6cff8cc48a3608690389e609e3775548e291aa8865495",
    "bound": "adc9fd2e131c7dde0e809f4cbec43ba5b9be025eb1f7f5533f961fe784ec9a90",
}


def data_of(name):
    return (FOLDER / f"v2-{name}.slth").read_bytes()


def test_every_golden_ticket_is_one_of_these():
    assert {path.stem for path in FOLDER.glob("v2-*.slth")} == {f"v2-{name}" for name in DIGESTS}
    assert {*TARGETS, "bound"} == {*DIGESTS}


@pytest.mark.parametrize("name", DIGESTS)
def test_it_is_small_unchanged_and_written_back_the_same(name):
    data = data_of(name)
    assert len(data) <= 4096
    assert hashlib.sha256(data).hexdigest() == DIGESTS[name]
    assert version_of(data) == 2
    assert encode(load(FOLDER / f"v2-{name}.slth")) == data


@pytest.mark.parametrize("name", TARGETS)
def test_it_verifies_and_is_that_of_its_target(name):
    """Every check, with the target made again from the numbers that the format pins."""
    path = FOLDER / f"v2-{name}.slth"
    assert verify(path).holds
    target = TARGETS[name][0]()
    found = slth.verify(path, target=target) if isinstance(target, dict) else verify(path, target=target)
    assert found.holds
    assert found.complete


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_of_the_page_finds_the_same_coefficients(name):
    """That shares nothing with slth: it adds up what is kept, one number after the other."""
    ticket, data = load(FOLDER / f"v2-{name}.slth"), data_of(name)
    for path, found in version2_gadgets.read(data).items():
        ours = ticket.realised(path)
        assert found.positive.tobytes() == ours.positive.tobytes()
        assert (found.bias is None) == (ours.bias is None)
        assert found.bias is None or found.bias.tobytes() == ours.bias.tobytes()
        assert found.digest(ours.negative is not None) == ticket.digests[path]


def test_each_says_what_no_other_says():
    """The vocabulary of the file: encodings, moves, stages, kept per candidate, mirrors, laws, carried arrays."""
    meta = {name: parts(data_of(name))[0] for name in DIGESTS}
    gadget = {name: next(iter(meta[name]["gadgets"].values())) for name in TARGETS}
    assert {entry["op"]["kind"] for entry in meta["graph"]["network"]["nodes"]} >= {"Linear", "Scale", "Add", "AxisMap"}
    assert len(gadget["stages"]["stages"]) == 2
    assert [entry["moved"] for entry in meta["moves"]["tensors"]] == [False, False, True]
    assert meta["moves"]["move_bound"] == 0.01
    assert [entry["mask"]["encoding"] for entry in meta["fewest"]["tensors"] if entry["mask"]] == ["rank"]
    assert gadget["exactly"]["stages"][0]["kept"] is not None
    assert gadget["centred"]["centred"]
    assert gadget["law"]["law"] == "mixture/0.5/grid/3"
    assert gadget["linear"]["lift"] == "linear"
    assert meta["tokens"]["inputs"] == {"shape": [2], "tokens": 3}
    ops = {entry["op"]["kind"] for entry in meta["tokens"]["network"]["nodes"]}
    assert ops == {"Linear", "Embedding", "Add", "Standardise", "Attention"}
    bases = {
        node["op"]["basis"]["kind"]
        for name in ("tokens", "turned", "members")
        for node in meta[name]["network"]["nodes"]
        if "basis" in node["op"]
    }
    assert bases == {"OneHot", "Dense", "Steerable", "Permutation"}
    assert meta["members"]["network"]["nodes"][1]["op"]["axes"][0]["kind"] == "sparse"
    assert (meta["layers"]["network"]["kind"], meta["layers"]["network"]["transposed"]) == ("layers", ["c"])
    merged = meta["merged"]["gadgets"].values()
    assert {(gadget["part"], gadget["weights"]) for gadget in merged} == {("query-key", 8), ("value-output", 8)}
    kinds = {gadget["kind"] for name in TARGETS for gadget in meta[name]["gadgets"].values()}
    assert kinds == {
        "two-layer", "copies", "neurons", "single", "single-plain", "plain", "counts", "doubling", "grid", "merged",
    }  # fmt: skip


def test_the_exact_one_gives_its_target_back():
    """By the page alone: bytes, the −0.0 among them."""
    found, state = version2_exact.tensors(data_of("exact")), numbers()
    assert {name: body for name, (_, _, body) in found.items()} == {n: v.tobytes() for n, v in state.items()}
    assert np.signbit(state["0.weight"][1, 1])


def test_the_bound_one_is_made_again_the_same():
    """Of a network that the user brings nothing is looked for: these bytes follow from the numbers here."""
    data = data_of("bound")
    assert encode(bound()) == data
    assert verify(FOLDER / "v2-bound.slth").holds
    _, state, heads, digests = references.learned.read(data)
    ticket = load(FOLDER / "v2-bound.slth")
    assert (heads, digests) == ([*ticket.heads.values()], [*ticket.digests.values()])
    assert state["fc.weight"].tobytes() == ticket.effective("fc.weight").tobytes()


@pytest.mark.parametrize(
    "path",
    [
        ("more",),
        ("inputs", "more"),
        ("gadgets", "conv", "more"),
        ("gadgets", "conv", "stages", 0, "more"),
        ("network", "nodes", 0, "op", "more"),
        ("network", "nodes", 0, "op", "basis", "more"),
        ("tensors", 0, "more"),
        ("claims", "bound", "more"),
    ],
)
def test_a_key_that_joined_later_is_refused_with_what_to_do(path):
    """By its name, wherever it stands: nothing of a file is skipped."""
    meta, entries, body = parts(data_of("graph"))
    with pytest.raises(TicketError, match=r"expected the keys .*'more'.*; keys may join: update slth"):
        decode(sealed(changed(meta, path, 1), entries, body))
