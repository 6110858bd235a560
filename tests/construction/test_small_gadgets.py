"""Single, plain, counts, doubling: each keeps what its theorem keeps, hits what it promised, and computes it twice.

A target with biases, inputs of both signs, and (but for doubling) convolutions with groups.
"""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import slth
from slth import InputError
from slth.construction.makers import MAKERS
from slth.evidence.verify import Verdict, verify
from slth.graph import Dense, Linear
from slth.ticket import decode, encode

TOLERANCE = 0.02
SMALL = ("single", "single-plain", "plain", "counts", "doubling")
ONE = ("single", "single-plain")
HALVES = ("positive", "negative")


@pytest.fixture(scope="module")
def dense():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)), (5,)


@pytest.fixture(scope="module")
def convolutions():
    torch.manual_seed(1)
    body = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, stride=2, groups=2),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 2, 2),
        nn.Flatten(),
        nn.Linear(2 * 4 * 4, 3, bias=False),
    )
    return body, (2, 7, 7)


def made(network, gadget, **options):
    module, shape = network
    options = {"tolerance": TOLERANCE, "input_range": (-1, 1), **options}
    return slth.construct(module, input_shape=shape, gadget=gadget, **options)


def cases():
    for gadget in SMALL:
        for objective in ("within", "fewest", "closest"):
            for kind in ("dense", "convolutions"):
                if gadget != "doubling" or (kind == "dense" and objective != "fewest"):
                    slow = [pytest.mark.slow] if objective == "closest" and gadget != "doubling" else []
                    yield pytest.param(gadget, objective, kind, id=f"{gadget}-{objective}-{kind}", marks=slow)


@pytest.mark.parametrize(("gadget", "objective", "kind"), list(cases()))
def test_every_weight_is_within_its_tolerance_and_every_view_agrees(gadget, objective, kind, request):
    network = request.getfixturevalue(kind)
    ticket = made(network, gadget, objective=objective)
    assert ticket.misses == 0
    assert {part.kind for part in ticket.gadgets.values()} == {gadget}
    assert ticket.provenance.asked["gadget"] == gadget
    assert ticket.provenance.method == MAKERS[gadget].method
    assert all(
        claim.weight_error <= TOLERANCE and claim.bias_error <= TOLERANCE for claim in ticket.claims.maps.values()
    )
    module, shape = network
    read = decode(encode(ticket))
    assert dict(read.gadgets) == dict(ticket.gadgets)
    checks = slth.verify(read, target=module).checks
    assert not [check for check in checks if check.verdict is Verdict.FAILS]
    x = 2 * torch.rand(20, *shape, generator=torch.Generator().manual_seed(2)) - 1
    with torch.inference_mode():
        source, realised, wanted = slth.source(read)(x), slth.realised(read)(x), module(x)
    assert (source - realised).abs().max() <= 1e-5
    assert (realised - wanted).abs().max() <= ticket.claims.sup_error + 1e-5


@pytest.mark.parametrize("gadget", ONE)
def test_at_most_one_candidate_of_a_weight_is_kept(gadget, dense):
    ticket = made(dense, gadget)
    for path, op in ticket.maps.items():
        for block in ticket.gadgets[path].problems(path, op, ticket.seed):
            kept = block.kept(ticket.masks).sum(axis=2)
            assert kept.max() <= 1
            wanted = np.abs(block.sums(ticket.masks)) > 0
            assert (kept == wanted).all()


@pytest.mark.parametrize("gadget", ONE)
def test_a_second_candidate_of_a_weight_is_noticed(gadget, dense):
    """Sealed and consistent, but for the rule of the gadget."""
    ticket = made(dense, gadget)
    path, op = next(iter(ticket.maps.items()))
    mask = ticket.map_mask(path).copy()
    block = next(iter(ticket.gadgets[path].problems(path, op, ticket.seed)))
    row = block.kept(ticket.masks)[0].any(axis=1).argmax()  # of input 0, a weight that keeps one
    spare = block.columns[0][~mask[row, block.columns[0]]][0]
    mask[row, spare] = True
    bits = ticket.gadgets[path].pack(path, op, seed=ticket.seed, mask=mask)
    tensors = [replace(t, kept=t.kept + 1) if t.path == f"{path}/mixing" else t for t in ticket.tensors]
    lie = replace(ticket, masks={**ticket.masks, f"{path}/mixing": bits}, tensors=tuple(tensors))
    failed = [check for check in verify(lie).checks if check.verdict is Verdict.FAILS]
    assert [check.name for check in failed] == ["coefficients"]
    assert "keeps 2 candidates of a coefficient; its gadget allows 1" in failed[0].detail


def test_counts_are_whole_multiples_of_one_number(dense):
    """The largest float32 that is at most twice the tolerance; every random number is a sign."""
    ticket = made(dense, "counts", objective="closest")
    assert {tensor.law for tensor in ticket.tensors} == {"sign"}
    for path, gadget in ticket.gadgets.items():
        assert gadget.gain == gadget.bias_gain == float(np.float32(2 * TOLERANCE)) or gadget.gain < 2 * TOLERANCE
        part = ticket.realised(path)
        for found in (part.positive, part.bias):
            assert (found / gadget.gain == np.rint(found / gadget.gain)).all()


def test_doubling_realises_the_nearest_binary_number(dense):
    module, _ = dense
    ticket = made(dense, "doubling")
    assert {tensor.law for tensor in ticket.tensors} == {"sign"}
    for (path, gadget), layer in zip(ticket.gadgets.items(), (module[0], module[2]), strict=True):
        unit = gadget.gain * 2.0**-gadget.digits
        weight = layer.weight.detach().numpy().astype(np.float64)
        nearest = np.sign(weight) * np.ceil(np.abs(weight) / unit - 0.5) * unit
        assert (ticket.realised(path).positive[:, :, 0] == nearest).all()
        assert unit / 2 <= TOLERANCE < unit * 2
    depth = sum(gadget.digits + 1 for gadget in ticket.gadgets.values())
    matrices = [tensor for tensor in ticket.tensors if not tensor.path.endswith("lift_bias")]
    assert len(matrices) == depth


def test_one_subset_of_plain_weights_serves_both_signs(dense):
    ticket = made(dense, "plain")
    path = next(iter(ticket.maps))
    part = ticket.realised(path)
    assert part.signed.all()
    assert (part.negative == -part.positive).all()
    assert ticket.mask_bits < made(dense, "two-layer", lift="relu").mask_bits


@pytest.mark.parametrize("gadget", ["plain", "single-plain"])
def test_a_row_of_plain_weights_is_what_a_token_reads(gadget):
    """A one-hot input picks the realised column, bit for bit: there is no lift that could scale it."""
    torch.manual_seed(3)
    table = nn.Linear(9, 4, bias=False)
    ticket = slth.construct(table, input_range=(0, 1), gadget=gadget, tolerance=0.05)
    (path,) = ticket.maps
    with torch.inference_mode():
        found = slth.realised(ticket)(torch.eye(9)).numpy()
    assert (ticket.realised(path).positive[:, :, 0].astype(np.float32) == found.T).all()


def test_plain_weights_have_one_stage_however_fine_the_tolerance(dense):
    """Two random layers would have two of them here."""
    ticket = made(dense, "plain", tolerance=2e-7)
    assert ticket.misses == 0
    assert max(gadget.candidates for gadget in ticket.gadgets.values()) > 30
    assert made(dense, "two-layer", tolerance=2e-7).gadgets["layers/0"].stage_count > 1
    with pytest.raises(InputError, match=r"multiples of 2\^-23 gains, so that .* is the finest"):
        made(dense, "plain", tolerance=1e-15)


def test_every_half_that_one_subset_serves_may_miss(dense):
    """More misses than subsets: the file says so, and is read."""
    ticket = decode(encode(made(dense, "plain", tolerance=1e-9, candidates=1)))
    assert ticket.misses > sum(gadget.cost(ticket.maps[path]).problems for path, gadget in ticket.gadgets.items())


@pytest.mark.parametrize("gadget", ["plain", "single-plain", "single", "counts"])
def test_too_few_candidates_are_misses_and_no_error(gadget, dense):
    """Both halves of a whole are listed, each with its own error; the claims hold against the target."""
    module, _ = dense
    ticket = made(dense, gadget, candidates=3, tolerance=0.01)
    assert ticket.misses > 0
    listed = ticket.provenance.misses
    assert len(listed) == ticket.misses
    if gadget in ("plain", "single-plain"):
        first = next(iter(ticket.maps))
        places = {half: {(m.output, m.input) for m in listed if m.map == first and m.half == half} for half in HALVES}
        assert places["positive"] == places["negative"] != set()
    found = slth.verify(ticket, target=module)
    assert not [check for check in found.checks if check.verdict is Verdict.FAILS]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"gadget": "counts", "tolerance": 1e-7}, "random signs to count"),
        ({"gadget": "single", "tolerance": 1e-6}, "like one over the tolerance"),
        ({"gadget": "plain", "candidates": 65}, "from 1 to 64"),
        ({"gadget": "doubling", "objective": "fewest"}, "writes weights in binary"),
        ({"gadget": "doubling", "tolerance": 1e-13}, "binary digits"),
        ({"gadget": "triple"}, "two-layer"),
    ],
)
def test_what_a_theorem_does_not_cover_is_refused(options, sentence, dense):
    with pytest.raises(InputError, match=sentence):
        made(dense, **options)


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"gadget": "single", "objective": "exactly"}, "at most one candidate of a weight"),
        ({"gadget": "plain", "objective": "moved"}, "two-layer"),
        ({"gadget": "counts", "law": "normal/20"}, "law sign"),
        ({"gadget": "doubling", "centred": True}, "mirrored pairs"),
    ],
)
def test_objectives_and_laws_of_other_theorems_are_refused(choice, sentence):
    recipe = SimpleNamespace(**({"objective": "within", "law": "uniform", "centred": False} | choice))
    with pytest.raises(InputError, match=sentence):
        MAKERS[recipe.gadget].check(recipe, Linear("fc", Dense(2, 3), bias=True))


def test_doubling_of_convolutions_and_of_large_maps_is_refused(convolutions):
    with pytest.raises(InputError, match="makes dense maps"):
        made(convolutions, "doubling")
    with pytest.raises(InputError, match=r"random matrices of [\d,]+ entries"):
        slth.construct(nn.Linear(784, 500), input_range=(0, 1), gadget="doubling", tolerance=1e-3)


def test_width_falls_like_one_over_the_tolerance_or_like_its_logarithm(dense):
    """Ten times finer: ten times the single products and counts, 3.3 candidates more of a subset sum."""
    module, _ = dense
    found = {
        gadget: [
            max(part.candidates for part in slth.plan(module, input_range=(-1, 1), gadget=gadget, tolerance=t).maps)
            for t in (0.02, 0.002)
        ]
        for gadget in ("single", "single-plain", "counts", "plain", "two-layer")
    }
    for gadget in ("single", "single-plain"):
        assert 9.5 < found[gadget][1] / found[gadget][0] < 11
    assert 5 < found["counts"][1] / found["counts"][0] < 10
    for gadget in ("plain", "two-layer"):
        assert 1 <= found[gadget][1] - found[gadget][0] <= 6
    assert math.isclose(found["single"][1] / found["single-plain"][1], 1 / (2 * math.log(2)), rel_tol=0.1)
