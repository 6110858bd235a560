"""Version 2 of the file: what is written is read back, by slth and by a reader that shares nothing with it."""

import dataclasses
import random

import numpy as np
import pytest
from helpers.graph_tickets import graph_ticket, random_graph, random_inputs, ticket_of
from helpers.learned import any_learned
from helpers.tickets import any_ticket, misses_of
from helpers.transformer_graphs import examples_of
from helpers.version2_files import parts, sealed
from references import learned as learned_reader
from references import version2

from slth import InputError
from slth.certificate import Certificate, certify
from slth.evidence import verify
from slth.graph import Dense, Graph, Linear, Node, Pointwise, evaluate
from slth.numerics import NORMS
from slth.records import Verdict
from slth.ticket import DamagedTicketError, Inputs, TicketError, decode, encode, save

SEEDS = range(40)
SAMPLED = [*range(12), *(pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[12:])]
FIELDS = ("seed", "network", "gadgets", "inputs", "tensors", "heads", "digests", "claims", "provenance", "assumed")


def format_of(ticket):
    return parts(encode(ticket))[0]["format"]


class Files(dict):
    """By seed, written when they are asked for; sparse and dense masks, with and without assumptions."""

    def __missing__(self, seed):
        self[seed] = encode(graph_ticket(seed, density=(0.5, 0.1)[seed % 2], assumed=("ReLU",) * (seed % 3))[0])
        return self[seed]


@pytest.fixture(scope="module")
def files():
    return Files()


@pytest.mark.parametrize("seed", SAMPLED)
def test_what_is_written_is_read_back(files, seed):
    ticket = graph_ticket(seed, density=(0.5, 0.1)[seed % 2], assumed=("ReLU",) * (seed % 3))[0]
    read = decode(files[seed])
    assert encode(read) == files[seed]
    for name in FIELDS:
        assert getattr(read, name) == getattr(ticket, name), name
    for name in ("masks", "carried"):
        ours, theirs = getattr(ticket, name), getattr(read, name)
        assert ours.keys() == theirs.keys()
        assert all(ours[key].dtype == theirs[key].dtype and (ours[key] == theirs[key]).all() for key in ours)


@pytest.mark.parametrize("seed", SAMPLED)
def test_the_second_reader_finds_the_same_coefficients(files, seed):
    """P, N and b bit for bit; the width of every lift, every head, and the target's digest."""
    ticket, target = graph_ticket(seed, density=(0.5, 0.1)[seed % 2], assumed=("ReLU",) * (seed % 3))
    meta, runs = version2.split(files[seed])
    found = version2.read(files[seed])
    assert found.keys() == ticket.maps.keys()
    for path in ticket.maps:
        ours, theirs = ticket.realised(path), found[path]
        assert (theirs.positive == ours.positive).all()
        assert (theirs.negative == (0 if ours.negative is None else ours.negative)).all()
        assert (theirs.bias is None) == (ours.bias is None)
        assert ours.bias is None or (theirs.bias == ours.bias).all()
        assert theirs.widths == [ticket.gadgets[path].neurons]
        assert theirs.digest(ours.negative is not None) == ticket.digests[path]
        assert all(ticket.heads[name] == head for name, head in theirs.heads.items())
    coefficients = {path: (affine.weight, affine.bias) for path, affine in target.coefficients.items()}
    nodes, arrays = meta["network"]["nodes"], version2.carried(meta, runs)
    digest = version2.graph_digest(meta["inputs"]["shape"], nodes, coefficients, arrays)
    assert digest == meta["provenance"]["target"] == ticket.provenance.target


def test_every_op_is_in_one_of_these_files(files):
    """But for what chains of functions show alike."""
    every = [files[seed] for seed in SEEDS]
    kinds = {node["op"]["kind"] for data in every for node in parts(data)[0]["network"]["nodes"]}
    assert len(kinds) == 20
    encodings = {t["mask"]["encoding"] for d in every for t in parts(d)[0]["tensors"] if t["mask"]}
    assert encodings == {"bits", "rans"}


@pytest.mark.parametrize("seed", range(5))
def test_a_network_that_was_read_back_computes_the_same(files, seed):
    ticket, read = graph_ticket(seed)[0], decode(files[seed])
    x = examples_of(ticket.inputs, np.random.default_rng(seed), 2)
    ours, theirs = (
        evaluate(t.network, {path: graph_ticket(seed)[1].coefficients[path] for path in t.maps}, x, t.carried)
        for t in (ticket, read)
    )
    assert (ours == theirs).all()


def certified(seed):
    """A ticket whose claims are true."""
    ticket, target = graph_ticket(seed, misses=False)
    realised = {path: ticket.realised(path) for path in ticket.maps}
    tolerances = dict.fromkeys(ticket.maps, 0.5)
    claims = certify(target, realised.__getitem__, tolerances=tolerances, box=ticket.inputs.box)
    provenance = dataclasses.replace(ticket.provenance, misses=misses_of(target, realised, 0.5))
    return dataclasses.replace(ticket, claims=claims, provenance=provenance), target


@pytest.mark.parametrize("seed", range(6))
def test_a_true_ticket_is_verified_from_its_file(seed, tmp_path):
    """Streams, layout, coefficients, target, claims; another target is none of its."""
    ticket, target = certified(seed)
    path = save(ticket, tmp_path / "t.slth")
    found = verify(path, target=target)
    assert {check.verdict for check in found.checks} == {Verdict.HOLDS, Verdict.SAYS}
    next(iter(target.coefficients.values())).weight[0, 0, 0] += 1
    assert not verify(path, target=target).holds


def stopped(ticket, *stops, known=()):
    """The claims of a ticket end at some nodes; bounds of a few maps are known."""
    maps = {
        path: claim if path in known else dataclasses.replace(claim, sup_error=None, l2_error=None)
        for path, claim in ticket.claims.maps.items()
    }
    return dataclasses.replace(ticket, claims=Certificate(maps, None, None, None, stops))


@pytest.mark.parametrize("some", [True, False])
def test_claims_that_stop_are_read_back(some):
    """Whether a map before has a bound or none has; version 1 knows no stops."""
    ticket = next(t for t in (graph_ticket(seed)[0] for seed in SEEDS) if t.claims.over_inputs)
    known = list(ticket.maps)[:1] if some else []
    ticket = stopped(ticket, ticket.network.nodes[1].name, known=known)
    read = decode(encode(ticket))
    assert read.claims == ticket.claims
    assert encode(read) == encode(ticket)
    chain = any_ticket()[0]
    assert format_of(stopped(chain, "relu/0", known=["layers/0"])) == "2-draft"
    with pytest.raises(InputError, match="'nowhere' is no node of the network"):
        encode(stopped(ticket, "nowhere"))


def test_two_maps_may_share_a_name():
    """One tensor of the target that is used with two strides is two maps."""
    ticket = graph_ticket(0, misses=False)[0]
    names = dict.fromkeys(list(ticket.maps)[:2], ("shared.weight", None))
    ticket = dataclasses.replace(ticket, provenance=dataclasses.replace(ticket.provenance, names=names))
    assert decode(encode(ticket)).provenance.names == names


def test_the_helper_of_these_tests_writes_the_same_bytes(files):
    assert all(sealed(*parts(files[seed])) == files[seed] for seed in SEEDS[:12])


def test_the_safetensors_library_reads_the_file(files, tmp_path):
    from safetensors import safe_open

    (tmp_path / "t.slth").write_bytes(files[2])
    _, entries, body = parts(files[2])
    with safe_open(tmp_path / "t.slth", framework="numpy") as file:
        assert set(file.metadata()) == {"slth"}
        assert set(file.keys()) == set(entries)
        for name, entry in entries.items():
            assert file.get_tensor(name).tobytes() == body[slice(*entry["data_offsets"])]


def flips(size, count):
    """Some bits of a file, or all."""
    every = range(8 * size)
    return every if count is None else random.Random(0).sample(every, count)


@pytest.mark.parametrize("count", [2000, pytest.param(None, marks=pytest.mark.slow)])
def test_every_flipped_bit_is_refused(files, count):
    data = files[3]
    for bit in flips(len(data), count):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(TicketError):
            decode(bytes(flipped))


def test_every_truncation_and_extension_is_refused(files):
    data = files[3]
    for end in range(0, len(data), 7):
        with pytest.raises(TicketError):
            decode(data[:end])
    with pytest.raises(TicketError):
        decode(data + b"\0")
    with pytest.raises(DamagedTicketError, match="digest"):
        decode(data[:-1] + bytes([data[-1] ^ 1]))


def test_the_oldest_version_that_says_a_ticket_is_written():
    """What it does not say, it is not asked for."""
    chain = any_ticket()[0]
    assert format_of(chain) == 1
    assert format_of(dataclasses.replace(chain, assumed=("ReLU between the layers",))) == "2-draft"
    assert format_of(graph_ticket()[0]) == "2-draft"
    folded = dataclasses.replace(chain.provenance, folded={"layers/0": ("norm",)})
    assert format_of(dataclasses.replace(chain, provenance=folded)) == "2-draft"

    def asked(**more):
        provenance = dataclasses.replace(chain.provenance, asked={**chain.provenance.asked, **more})
        return dataclasses.replace(chain, provenance=provenance)

    assert format_of(asked(relative_tolerance=None, exact=None)) == 1
    assert decode(encode(asked(exact=None))).provenance.asked == chain.provenance.asked
    assert format_of(asked(tolerance=None, relative_tolerance=1e-3)) == "2-draft"
    assert format_of(asked(threads=2)) == "2-draft"
    learned = any_learned()
    assert format_of(learned) == 1
    ranged = dataclasses.replace(learned.inputs, lower=(0.0,), upper=(1.0,))
    for ticket in (
        dataclasses.replace(learned, inputs=ranged),
        dataclasses.replace(learned, inputs=Inputs((2, 1, 3))),
        dataclasses.replace(learned, assumed=("x",)),
    ):
        assert format_of(ticket) == "2-draft"


def test_the_rule_of_norms_is_kept_and_version_1_knows_only_the_first():
    for ticket in (any_ticket()[0], graph_ticket()[0]):
        path, claim = next(iter(ticket.claims.maps.items()))
        for name in NORMS:
            maps = {**ticket.claims.maps, path: dataclasses.replace(claim, norms=name)}
            other = dataclasses.replace(ticket, claims=dataclasses.replace(ticket.claims, maps=maps))
            assert decode(encode(other)).claims.maps[path].norms == name
            assert format_of(other) == (format_of(ticket) if name == "spectral" else "2-draft")


def test_a_key_that_was_not_asked_for_is_null_in_version_1():
    chain = any_ticket()[0]
    provenance = dataclasses.replace(chain.provenance, asked={"tolerance": 0.5})
    assert encode(dataclasses.replace(chain, provenance=provenance)) == encode(chain)


def test_a_chain_over_several_axes_is_no_chain_of_version_1():
    """Dense maps act on the last axis; version 1 knows one."""
    graph = Graph(
        (
            Node("layers/0", Linear("layers/0", Dense(3, 4), True), ("input",)),
            Node("relu/0", Pointwise("Relu"), ("layers/0",)),
            Node("layers/1", Linear("layers/1", Dense(4, 3), False), ("relu/0",)),
        )
    )
    ticket = ticket_of(graph, Inputs((5, 3), lower=(-1.0,), upper=(1.0,)), {})[0]
    assert format_of(ticket) == "2-draft"
    assert decode(encode(ticket)).network == graph


@pytest.mark.parametrize("moved", [True, False])
def test_a_learned_ticket_with_a_range_is_read_by_the_second_reader(moved):
    """Random tensors that are parameters keep the table of version 1; `references.learned` reads both."""
    ticket = any_learned(moved=moved)
    inputs = dataclasses.replace(ticket.inputs, lower=(-1.0,), upper=(0.5, 1.0))
    ticket = dataclasses.replace(ticket, inputs=inputs, assumed=("images of two channels",))
    data = encode(ticket)
    read = decode(data)
    assert encode(read) == data
    for name in FIELDS:
        assert getattr(read, name) == getattr(ticket, name), name
    meta, state, heads, digests = learned_reader.read(data)
    assert meta["format"] == "2-draft"
    assert dict(zip(ticket.heads, heads, strict=True)) == ticket.heads
    assert dict(zip(ticket.digests, digests, strict=True)) == ticket.digests
    for tensor in ticket.tensors:
        assert (state[tensor.path] == read.effective(tensor.path)).all()
    for name, values in ticket.carried.items():
        assert (read.carried[name] == values).all()


def test_neither_version_reads_the_other():
    """By its own rules, each refuses a file that says it is of the other one."""
    plain = sealed_with(encode(any_ticket()[0]), "2-draft")
    learned = sealed_with(encode(any_learned()), "2-draft")
    graph = sealed_with(encode(graph_ticket()[0]), 1)
    assumed = sealed_with(encode(dataclasses.replace(any_learned(), assumed=("x",))), 1)
    for data in (plain, learned, graph, assumed):
        with pytest.raises(TicketError, match="expected the keys"):
            decode(data)


def sealed_with(data, version):
    meta, entries, body = parts(data)
    return sealed({**meta, "format": version}, entries, body)


@pytest.mark.parametrize("version", ["3-draft", "2", "", 2, 3, "2-draft "])
def test_another_version_asks_for_an_update(files, version):
    with pytest.raises(TicketError, match=r"this slth reads 1 and 2-draft: update slth"):
        decode(sealed_with(files[0], version))


@pytest.mark.parametrize("version", [None, True, 0, -1, 1.0, [], ["2-draft"], {}])
def test_no_version_is_no_ticket(files, version):
    with pytest.raises(TicketError, match="states no format version"):
        decode(sealed_with(files[0], version))


def test_a_network_with_a_node_that_nothing_reads_is_not_written():
    graph, shape, carried = random_graph(0)
    dead = Node("dead", Pointwise("Relu"), ("input",))
    ticket = ticket_of(Graph((dead, *graph.nodes)), random_inputs(0, shape), carried)[0]
    with pytest.raises(InputError, match="'dead' is read by no later node"):
        encode(ticket)
