"""Forgeries by thought: sealed, consistent, canonical, and false. Each must be refused, or fail its check."""

from dataclasses import replace

import numpy as np
import pytest
from attacks.forging import certified, consistent, forged, specimens
from attacks.oracle import lies
from attacks.sealing import changed, honest, parts, sealed
from helpers.gadgets import one_stage, staged
from helpers.learned import ticket_with
from helpers.tickets import any_ticket

from slth import InputError
from slth.evidence.verify import Verdict, verify
from slth.graph import Affine, Dense, Linear, chain
from slth.ticket import Inputs, Miss, RandomTensor, TicketError, decode, encode, head_digest, save
from slth.ticket.format.fields import justified

MIXED = Inputs((3,), lower=(-1.0, 0.0, -0.5), upper=(1.0, 2.0, 0.5))


def failed(ticket, target=None):
    """Names of the failed checks, after a way through the file."""
    checks = verify(decode(encode(ticket)), target=target).checks
    return {check.name for check in checks if check.verdict is Verdict.FAILS}


@pytest.fixture
def mixed():
    """A ticket whose middle input is never negative."""
    ticket, target = any_ticket()
    return certified(consistent(ticket, inputs=MIXED), target), target


def test_a_half_that_does_not_exist_cannot_be_missed(mixed):
    """The negative half of an input that is never negative holds zeros; they are no claim about -w."""
    ticket, target = mixed
    assert not ticket.gadgets["layers/0"].signed(ticket.maps["layers/0"])[1]
    weight = target.coefficients["layers/0"].weight
    row = int(np.abs(weight[:, 1, 0]).argmax())
    error = float(abs(weight[row, 1, 0]))
    assert error > 0.5
    lie = replace(ticket, provenance=replace(ticket.provenance, misses=(Miss("layers/0", row, 1, "negative", error),)))
    assert lies(lie, target)
    assert failed(ticket, target) == set()
    assert failed(lie, target) == {"claims"}


def test_no_other_width_fits_even_with_heads_to_match():
    """The scan must end exactly at the stated neuron; heads and shapes are easily made for any number."""
    ticket, target = any_ticket()
    for wrong in (-1, 1, 2**40):
        gadget = ticket.gadgets["layers/0"]
        lie = forged(ticket, gadgets={"layers/0": staged(gadget, neurons=gadget.neurons + wrong)})
        heads = {tensor.path: head_digest(tensor, ticket.seed) for tensor in lie.tensors}
        assert failed(replace(lie, heads=heads), target) == {"layout", "claims"}


def test_one_miss_is_not_listed_twice(mixed):
    ticket, _ = mixed
    first = ticket.provenance.misses[0]
    with pytest.raises(InputError, match="listed twice"):
        encode(replace(ticket, provenance=replace(ticket.provenance, misses=(first, replace(first, error=9.0)))))


def test_errors_over_a_domain_need_a_domain():
    """Else `slth show` would print a bound "on every output" beside "any real numbers"."""
    ticket, _ = any_ticket()
    with pytest.raises(InputError, match="states no range"):
        encode(consistent(ticket, inputs=Inputs((3,))))


def test_a_wider_domain_needs_wider_claims(mixed):
    """The bounds are recomputed over the stated domain; a smaller one keeps them true."""
    ticket, target = mixed
    for factor, name in ((1.001, {"claims"}), (0.999, set())):
        ends = [tuple(factor * end for end in side) for side in (MIXED.lower, MIXED.upper)]
        assert failed(replace(ticket, inputs=Inputs((3,), None, None, *ends)), target) == name


def test_no_more_misses_are_counted_than_there_are_coefficients():
    """A count of 4,300 digits could be read, and not printed."""
    ticket, _ = any_ticket()
    problems = ticket.gadgets["layers/0"].cost(ticket.maps["layers/0"]).problems
    for count in (problems + 1, 10**4299):
        claim = replace(ticket.claims.maps["layers/0"], misses=count)
        maps = {**ticket.claims.maps, "layers/0": claim}
        with pytest.raises(InputError, match="misses"):
            encode(replace(ticket, claims=replace(ticket.claims, maps=maps)))


def named(pairs):
    return {f"layers/{i}": pair for i, pair in enumerate(pairs)}


def test_no_tensor_is_lost_under_the_name_of_another():
    """`slth export` writes the coefficients under these names: as many as there are."""
    ticket, _ = any_ticket()
    for names in (
        (("w", "b"), ("w", "c")),
        (("w", "w"), ("v", "c")),
        (("w", "b"), ("b", "c")),
        (("__metadata__", "b"), ("w", "c")),
    ):
        with pytest.raises(InputError, match=r"provenance\.names"):
            encode(replace(ticket, provenance=replace(ticket.provenance, names=named(names))))


def test_names_are_keys_and_never_paths(tmp_path):
    """A name may look like a path; only the file that was asked for is written."""
    pytest.importorskip("torch")
    from safetensors.numpy import load_file

    from slth.cli.app import run

    ticket, _ = any_ticket(lower=0.0)
    names = (("../../x", "/etc/y"), ("C:\\z", "a b"))
    path = save(replace(ticket, provenance=replace(ticket.provenance, names=named(names))), tmp_path / "t.slth")
    assert run(["export", str(path), "--out", str(tmp_path / "out.safetensors")]) == 0
    assert set(load_file(tmp_path / "out.safetensors")) == {name for pair in names for name in pair}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.safetensors", "t.slth"]


@pytest.mark.parametrize("gain", [2.0**-200, 2.0**200])
def test_gains_at_their_ends_are_exact_and_judged(gain):
    """Coefficients near 10^±60 are finite in float64; a bound that overflows is a sentence, not a claim."""
    ticket, target = any_ticket((2, 3, 2, 2, 2, 2, 2))
    gadgets = {path: staged(gadget, gain=gain, bias_gain=1 / gain) for path, gadget in ticket.gadgets.items()}
    extreme = consistent(ticket, gadgets=gadgets)
    assert np.isfinite(extreme.realised("layers/0").positive).all()
    if gain > 1:
        with pytest.raises(InputError, match="overflows"):
            verify(extreme, target=target)
    else:
        assert "claims" in failed(extreme, target)
    assert failed(extreme) == set()


def test_every_mask_counts_even_all_zeros_and_all_ones():
    """The empty network and the full one are tickets; their certificates say how bad they are."""
    for value in (0, 255):
        ticket, target = any_ticket((1, 1))
        masks = {path: np.full_like(mask, value) for path, mask in ticket.masks.items()}
        ticket = certified(consistent(ticket, masks=masks), target)
        assert failed(ticket, target) == set()
        assert lies(ticket, target) == []


def test_the_target_is_told_from_one_with_the_same_numbers_in_another_shape():
    ticket, target = any_ticket((2, 3))
    affine = target.coefficients["layers/0"]
    for other in (affine.weight.transpose(1, 0, 2), affine.weight[:, ::-1]):
        reshaped = [Affine(np.ascontiguousarray(other), np.resize(affine.bias, len(other)))]
        assert "target" in failed(ticket, chain(reshaped))
    with pytest.raises(InputError, match="one tap"):  # such a target, and one without layers, cannot be made
        chain([Affine(affine.weight[:, :, [0, 0]], affine.bias)])
    with pytest.raises(InputError, match="no layers"):
        chain([])
    assert "target" in failed(ticket, chain([affine, Affine(np.ones((1, 3, 1)), None)]))


def test_what_no_reader_accepts_is_not_written(tmp_path):
    """A seed too long, a name with a control character, a header over the limit: refused before a byte is written."""
    ticket, _ = any_ticket()
    names = named((f"{'n' * 1000}{i}", f"{'m' * 1000}{i}") for i in range(2))
    first, last = ticket.masks.values()
    one, many = RandomTensor("w", (2, 2), "sign", kept=4), {f"{'n' * 990}{i}": np.zeros(0) for i in range(8500)}
    refused = [
        ("seed must be a non-negative integer", lambda: replace(ticket, seed=10**100)),
        ("printable text", lambda: replace(ticket, provenance=replace(ticket.provenance, method="\x1b[31m"))),
        ("expected a mask of", lambda: forged(ticket, masks={"layers/0/mixing": first[:-1]})),
        ("expected a mask of", lambda: forged(ticket, masks={"layers/0/mixing": last, "layers/1/mixing": first})),
        ("cannot be written.*names", lambda: replace(ticket, provenance=replace(ticket.provenance, names=names))),
        ("cannot be written.*its header would be", lambda: ticket_with([one], carried=many)),
    ]
    old = save(ticket, tmp_path / "t.slth").read_bytes()
    for reason, lie in refused:
        with pytest.raises(InputError, match=reason):
            save(lie(), tmp_path / "t.slth")
    assert (tmp_path / "t.slth").read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["t.slth"]


def test_plain_masks_always_fit_and_sparse_ones_within_reason():
    """The limit on work refuses no honest file: plain bits pay for themselves, usual layers may shrink forty times."""
    shapes = [(1, 1, 1), (1, 10**6, 1), (10**6, 1, 1), (10**3, 10**3, 1), (1, 10**6, 64), (10**6, 1, 64)]
    for inputs, outputs, candidates in [*shapes, (784, 500, 30)]:
        for constants in (0, 64):
            gadget = one_stage(candidates, constants, 0, (), 1.0, 1.0)
            cost = gadget.cost(Linear("layers/0", Dense(inputs, outputs), constants > 0))
            plain = -(-cost.mask_bits // 8)
            assert justified(cost.memory, plain)
            assert justified(cost.memory, plain // 40) or outputs != 500
            wider = gadget.cost(Linear("layers/0", Dense(inputs, outputs * 10**9), constants > 0))
            assert not justified(wider.memory, 1)


@pytest.mark.parametrize("index", range(7))
def test_a_claim_of_another_ticket_does_not_hold_here(index):
    """Certificates, masks, heads and digests exchanged between honest tickets of one shape."""
    ticket, target = specimens()[index]
    widths = (ticket.inputs.size, *(op.basis.outputs for op in ticket.maps.values()))
    other, _ = any_ticket(widths, seed=99, bias=ticket.maps["layers/0"].bias, lower=-1.0)
    other = consistent(other, inputs=ticket.inputs)
    assert failed(ticket, target) == set()
    assert failed(replace(ticket, digests=other.digests)) == {"coefficients"}
    assert failed(replace(ticket, heads=other.heads)) == {"streams"}
    assert failed(replace(other, claims=ticket.claims, provenance=ticket.provenance), target)


def test_a_sealed_file_that_repeats_a_layer_is_not_the_network_it_names(tmp_path):
    """Each layer has streams of its own: what was right for one is wrong for another."""
    meta, masks = parts(honest((3, 3, 3)))
    swapped = changed(meta, "layers.0.gain", meta["layers"][1]["gain"])
    swapped["layers"][1]["realised"] = meta["layers"][0]["realised"]
    (tmp_path / "t.slth").write_bytes(sealed(swapped, masks))
    assert not verify(tmp_path / "t.slth").holds
    with pytest.raises(TicketError):
        decode(sealed({**meta, "layers": meta["layers"][::-1], "tensors": meta["tensors"][::-1]}, masks[::-1]))


@pytest.mark.parametrize("lie", ["bounds of zero", "another target"])
def test_no_prediction_is_called_proved_unchanged_and_changes(lie):
    """What `slth evaluate --target` reports as proved must be so for this file and this target."""
    pytest.importorskip("torch")
    from slth.evidence.measure import evaluate

    ticket, target = any_ticket(rng_seed=2)
    bounds = ticket.claims
    if lie == "another target":
        target = chain([Affine(-50.0 * layer.weight, layer.bias) for layer in target.coefficients.values()])
    else:
        ticket = replace(ticket, claims=replace(bounds, sup_error=0.0, l2_error=0.0, output_error=(0.0, 0.0)))
    inputs = np.random.default_rng(0).uniform(-1, 1, (200, 3)).astype(np.float32)
    try:
        found = evaluate(ticket, inputs, np.zeros(200, np.int64), data="noise", target=target)
    except InputError:
        return
    assert found.changed is not None
    assert found.unchanged_on_box is None or found.unchanged_on_box.hits + found.changed <= 200
    assert found.certified_error is None or found.certified_error >= found.measured_error
