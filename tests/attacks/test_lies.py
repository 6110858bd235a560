"""Forgeries by thought: sealed, consistent, canonical, and false. Each must be refused, or fail its check."""

from dataclasses import replace

import numpy as np
import pytest
from attacks.forging import certified, consistent, specimens
from attacks.oracle import lies
from attacks.sealing import changed, honest, parts, sealed
from helpers.tickets import any_ticket

from slth import InputError
from slth.certificate import Affine
from slth.evidence.verify import Verdict, verify
from slth.ticket import Domain, Miss, TicketError, decode, encode, head_digest
from slth.ticket._metadata import inflatable

MIXED = Domain((-1.0, 0.0, -0.5), (1.0, 2.0, 0.5))


def failed(ticket, target=None):
    """Names of the failed checks, after a way through the file."""
    checks = verify(decode(encode(ticket)), target=target).checks
    return {check.name for check in checks if check.verdict is Verdict.FAILS}


@pytest.fixture
def mixed():
    """A ticket whose middle input is never negative."""
    ticket, target = any_ticket()
    return certified(consistent(replace(ticket, domain=MIXED)), target), target


def test_a_half_that_does_not_exist_cannot_be_missed(mixed):
    """The negative half of an input that is never negative holds zeros; they are no claim about -w."""
    ticket, target = mixed
    assert not ticket.layers[0].lift.signed_mask[1]
    row = int(np.abs(target[0].weight[:, 1, 0]).argmax())
    error = float(abs(target[0].weight[row, 1, 0]))
    assert error > 0.5
    lie = replace(ticket, provenance=replace(ticket.provenance, misses=(Miss(0, row, 1, "negative", error),)))
    assert lies(lie, target)
    assert failed(ticket, target) == set()
    assert failed(lie, target) == {"certificate"}


def test_no_other_width_fits_even_with_heads_to_match():
    """The scan must end exactly at the stated neuron; heads and shapes are easily made for any number."""
    ticket, target = any_ticket()
    for wrong in (-1, 1, 2**40):
        layer = replace(ticket.layers[0], neurons=ticket.layers[0].neurons + wrong)
        layers = (layer, *ticket.layers[1:])
        heads = tuple(head_digest(tensor, ticket.seed) for layer in layers for tensor in layer.tensors)
        assert failed(replace(ticket, layers=layers, heads=heads), target) == {"layout", "certificate"}


def test_one_miss_is_not_listed_twice(mixed):
    ticket, _ = mixed
    first = ticket.provenance.misses[0]
    with pytest.raises(InputError, match="listed twice"):
        encode(replace(ticket, provenance=replace(ticket.provenance, misses=(first, replace(first, error=9.0)))))


def test_errors_over_a_domain_need_a_domain():
    """Else `slth show` would print a bound "on every output" beside "any real numbers"."""
    ticket, _ = any_ticket()
    with pytest.raises(InputError, match="states no range"):
        encode(consistent(replace(ticket, domain=Domain())))


def test_a_wider_domain_needs_wider_claims(mixed):
    """The bounds are recomputed over the stated domain; a smaller one keeps them true."""
    ticket, target = mixed
    for factor, name in ((1.001, {"certificate"}), (0.999, set())):
        ends = [tuple(factor * end for end in side) for side in (MIXED.lower, MIXED.upper)]
        assert failed(replace(ticket, domain=Domain(*ends)), target) == name


def test_no_more_misses_are_counted_than_there_are_coefficients():
    """A count of 4,300 digits could be read, and not printed."""
    ticket, _ = any_ticket()
    for count in (ticket.layers[0].problems + 1, 10**4299):
        claim = replace(ticket.certificate.layers[0], misses=count)
        layers = (claim, *ticket.certificate.layers[1:])
        with pytest.raises(InputError, match="misses"):
            encode(replace(ticket, certificate=replace(ticket.certificate, layers=layers)))


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
            encode(replace(ticket, provenance=replace(ticket.provenance, names=names)))


def test_names_are_keys_and_never_paths(tmp_path):
    """A name may look like a path; only the file that was asked for is written."""
    pytest.importorskip("torch")
    from safetensors.numpy import load_file

    from slth.cli.app import run

    ticket, _ = any_ticket(lower=0.0)
    names = (("../../x", "/etc/y"), ("C:\\z", "a b"))
    path = replace(ticket, provenance=replace(ticket.provenance, names=names)).save(tmp_path / "t.slth")
    assert run(["export", str(path), "--out", str(tmp_path / "out.safetensors")]) == 0
    assert set(load_file(tmp_path / "out.safetensors")) == {name for pair in names for name in pair}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.safetensors", "t.slth"]


@pytest.mark.parametrize("gain", [2.0**-200, 2.0**200])
def test_gains_at_their_ends_are_exact_and_judged(gain):
    """Coefficients near 10^±60 are finite in float64; a bound that overflows is a sentence, not a claim."""
    ticket, target = any_ticket((2, 3, 2, 2, 2, 2, 2))
    layers = tuple(replace(layer, gain=gain, bias_gain=1 / gain) for layer in ticket.layers)
    extreme = consistent(replace(ticket, layers=layers))
    assert np.isfinite(extreme.realised(0).positive).all()
    if gain > 1:
        with pytest.raises(InputError, match="overflows"):
            verify(extreme, target=target)
    else:
        assert "certificate" in failed(extreme, target)
    assert failed(extreme) == set()


def test_every_mask_counts_even_all_zeros_and_all_ones():
    """The empty network and the full one are tickets; their certificates say how bad they are."""
    for value in (0, 255):
        ticket, target = any_ticket((1, 1))
        ticket = replace(ticket, masks=tuple(np.full_like(mask, value) for mask in ticket.masks))
        ticket = certified(consistent(ticket), target)
        assert failed(ticket, target) == set()
        assert lies(ticket, target) == []


def test_the_target_is_told_from_one_with_the_same_numbers_in_another_shape():
    ticket, target = any_ticket((2, 3))
    weight = target[0].weight
    for other in (weight.transpose(1, 0, 2), weight[:, ::-1], weight[:, :, [0, 0]]):
        reshaped = [Affine(np.ascontiguousarray(other), np.resize(target[0].bias, len(other)))]
        assert "target" in failed(ticket, reshaped)
    assert "target" in failed(ticket, [*target, Affine(np.ones((1, 3, 1)), None)])
    assert "target" in failed(ticket, [])


def test_what_no_reader_accepts_is_not_written(tmp_path):
    """A seed too long, a name with a control character, a header over the limit: refused before a byte is written."""
    ticket, _ = any_ticket()
    ends = [(value,) * (1 << 19) for value in (-0.12345678901234567, 1 / 3)]
    names = tuple((f"{'n' * 1000}{i}", f"{'m' * 1000}{i}") for i in range(2))
    forged = [
        replace(ticket, seed=10**100),
        replace(ticket, provenance=replace(ticket.provenance, method="\x1b[31m")),
        replace(ticket, provenance=replace(ticket.provenance, names=names)),
        replace(ticket, masks=(ticket.masks[0][:-1], ticket.masks[1])),
        replace(ticket, masks=ticket.masks[::-1]),
        replace(ticket, domain=Domain(*ends)),
    ]
    old = ticket.save(tmp_path / "t.slth").read_bytes()
    for lie in forged:
        with pytest.raises(InputError, match="cannot be written"):
            lie.save(tmp_path / "t.slth")
    assert (tmp_path / "t.slth").read_bytes() == old
    with pytest.raises(InputError, match="its header would be"):
        encode(forged[-1])


def test_plain_masks_always_fit_and_sparse_ones_within_reason():
    """The limit on work refuses no honest file: plain bits pay for themselves, usual layers may shrink forty times."""
    shapes = [(1, 1, 1), (1, 10**6, 1), (10**6, 1, 1), (10**3, 10**3, 1), (1, 10**6, 64), (10**6, 1, 64)]
    for inputs, outputs, candidates in [*shapes, (784, 500, 30)]:
        layer = replace(
            any_ticket((1, 1))[0].layers[0],
            outputs=outputs,
            lift=replace(any_ticket((1, 1))[0].layers[0].lift, inputs=inputs, candidates=candidates, signed=()),
        )
        for constants in (0, 64):
            spec = replace(layer, lift=replace(layer.lift, constants=constants))
            assert inflatable([spec], spec.mask_bytes)
            assert inflatable([spec], spec.mask_bytes // 40) or outputs != 500
            assert not inflatable([replace(spec, outputs=outputs * 10**9)], 1)


@pytest.mark.parametrize("index", range(7))
def test_a_claim_of_another_ticket_does_not_hold_here(index):
    """Certificates, masks, heads and digests exchanged between honest tickets of one shape."""
    ticket, target = specimens()[index]
    other, _ = any_ticket(ticket.widths, seed=99, bias=ticket.layers[0].lift.constants > 0, lower=-1.0)
    other = consistent(replace(other, domain=ticket.domain))
    assert failed(ticket, target) == set()
    assert failed(replace(ticket, digests=other.digests)) == {"coefficients"}
    assert failed(replace(ticket, heads=other.heads)) == {"streams"}
    assert failed(replace(other, certificate=ticket.certificate, provenance=ticket.provenance), target)


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
    bounds = ticket.certificate
    if lie == "another target":
        target = [Affine(-50.0 * layer.weight, layer.bias) for layer in target]
    else:
        ticket = replace(ticket, certificate=replace(bounds, sup_error=0.0, l2_error=0.0, output_error=(0.0, 0.0)))
    inputs = np.random.default_rng(0).uniform(-1, 1, (200, 3)).astype(np.float32)
    try:
        found = evaluate(ticket, inputs, np.zeros(200, np.int64), data="noise", target=target)
    except InputError:
        return
    assert found.changed is not None
    assert found.unchanged_on_box is None or found.unchanged_on_box.hits + found.changed <= 200
    assert found.certified_error is None or found.certified_error >= found.measured_error
