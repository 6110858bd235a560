"""`slth.compare` and its command: what stands beside a ticket, and what is refused."""

import json
import math

import numpy as np
import pytest
from helpers.tickets import any_ticket

import slth
from slth import InputError
from slth.cli.app import run
from slth.evidence import comparing

MODEL = {"weight": np.random.default_rng(0).normal(0, 0.1, (6, 8)), "bias": np.random.default_rng(1).normal(0, 0.1, 6)}


@pytest.fixture(autouse=True)
def few_blocks(monkeypatch):
    monkeypatch.setattr(comparing, "_BLOCKS", 2)


@pytest.fixture(scope="module")
def ticket():
    return slth.construct(MODEL, input_range=(0, 1), relative_tolerance=0.01, threads=1)


def test_a_ticket_stands_beside_what_is_as_exact(ticket):
    found = slth.compare(ticket, target=MODEL)
    rows = {row.name: row for row in found.rows}
    ours, coder = rows["ticket 1"], rows["ticket 1: uniform + entropy coder, as exact"]
    assert found.parameters == 54
    assert ours.bits == 8 * len(slth.ticket.encode(ticket)) / 54
    assert rows["ticket 1: masks, packed"].bits == ticket.mask_bits / 54
    assert coder.weight_error <= ours.weight_error <= ticket.claims.weight_error
    assert ours.claimed_error == pytest.approx(ticket.claims.sup_error, rel=1e-5)
    assert rows["ticket 1: Gaussian bound at its rms error"].rms_error == ours.rms_error
    assert [row.bits for row in found.rows] == sorted((row.bits for row in found.rows), reverse=True)
    (verdict,) = found.verdicts
    assert f"loses {ours.bits - coder.bits:.1f} bits a weight" in verdict


def test_moves_are_packed_beside_the_masks():
    """Each as a whole number of steps of 2⁻²³ from −s to s, s the largest that there is."""
    moved = slth.construct(
        MODEL, input_range=(0, 1), relative_tolerance=0.01, objective="moved", most_move=0.01, threads=1
    )
    (moves,) = moved.moves.values()
    steps = round(moved.largest_move * 2**23)
    (row,) = [row for row in slth.compare(moved, target=MODEL).rows if row.kind == "masks"]
    assert row.name == "ticket 1: masks and moves, packed"
    assert row.bits == (moved.mask_bits + len(moves) * math.ceil(math.log2(2 * steps + 1))) / 54


def test_errors_are_those_of_the_realised_weights(ticket):
    (path,) = ticket.maps
    off = ticket.realised(path).positive[:, :, 0] - MODEL["weight"]
    row = next(row for row in slth.compare(ticket, target=MODEL).rows if row.kind == "ticket")
    assert row.rms_error == pytest.approx(np.sqrt((off**2).sum() / (MODEL["weight"] ** 2).sum()))


def test_data_adds_accuracy_and_the_difference_of_outputs(ticket):
    rng = np.random.default_rng(2)
    x, y = rng.random((50, 8)).astype(np.float32), rng.integers(0, 6, 50)
    found = slth.compare([ticket], target=MODEL, data=(x, y))
    row = next(row for row in found.rows if row.kind == "ticket")
    assert row.measured_error == slth.evaluate(ticket, (x, y), target=MODEL).measured_error
    assert row.accuracy == slth.evaluate(ticket, (x, y)).accuracy.value
    assert all(row.accuracy is not None for row in found.rows if row.kind == "quantiser" and "SeedLM" not in row.name)


def test_two_files_of_one_name_are_told_apart(ticket, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        slth.save(ticket, tmp_path / folder / "t.slth")
    found = slth.compare([tmp_path / "a/t.slth", tmp_path / "b/t.slth"], target=MODEL)
    assert {row.name for row in found.rows if row.kind == "ticket"} == {"t.slth", "t.slth (2)"}


def test_what_is_no_ticket_of_the_target_is_refused(ticket):
    other, _ = any_ticket((8, 6), bias=True)
    for given, target, words in (
        ([], MODEL, "expected at least one ticket"),
        ([ticket], None, "give a target"),
        ([ticket], {"weight": MODEL["weight"] + 1, "bias": MODEL["bias"]}, "other numbers"),
        ([ticket], {"weight": np.ones((3, 8)), "bias": np.ones(3)}, "no ticket of this target"),
    ):
        with pytest.raises(InputError, match=words):
            slth.compare(given, target=target)
    with pytest.raises(InputError, match="picture is written as"):
        slth.compare(other, target=MODEL, out="a.html")


def test_the_command_prints_a_table_a_verdict_and_draws(ticket, tmp_path, capsys):
    from safetensors.numpy import save_file

    save_file(MODEL, tmp_path / "m.safetensors")
    slth.save(ticket, tmp_path / "t.slth")
    arguments = ["compare", str(tmp_path / "t.slth"), "--target", str(tmp_path / "m.safetensors")]
    assert run([*arguments, "--out", str(tmp_path / "c.svg")]) == 0
    printed = capsys.readouterr().out
    assert "int4, round to nearest" in printed
    assert "a proof, and no compressor" in printed
    picture = (tmp_path / "c.svg").read_text()
    assert "<title>Bits a weight against error" in picture
    assert run([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == 54
    assert run(["compare", str(tmp_path / "t.slth")]) == 2


def test_an_exact_ticket_stands_beside_others_of_the_same_network(ticket):
    """It reads the network in its own formats; the others fold it."""
    model = {name: values.astype(np.float32) for name, values in MODEL.items()}
    plain = slth.construct(model, input_range=(0, 1), relative_tolerance=0.01, threads=1)
    exact = slth.construct(model, input_range=(0, 1), exact=True, threads=1)
    for given in ([plain, exact], [exact, plain]):
        rows = {row.name: row for row in slth.compare(given, target=model).rows if row.kind == "ticket"}
        errors = [rows[f"ticket {i + 1}"].weight_error for i in range(2)]
        assert min(errors) < 1e-8 < max(errors)
