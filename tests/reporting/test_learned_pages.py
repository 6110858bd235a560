"""The page of a learned ticket: its masks beside random ones, its training, what it carries, how it is made again."""

import re
import shlex
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from helpers.learned import any_learned, mlp_ticket
from reporting.examples import EVIL, HERE, exhibit
from reporting.test_graphs import text_of

from slth.records import Record
from slth.reporting import page, searches_of
from slth.reporting.densities import random_density, spreads
from slth.reporting.rasters import draw, random_control, raster, shades


def record_of(ticket, **more):
    """As `slth search --records` would have written it."""
    history = [
        {"stage": stage, "epoch": epoch, "step": 10 * epoch, "loss": 1 / epoch, "accuracy": 0.5 + 0.1 * epoch}
        for stage in ("one", "two")
        for epoch in (1, 2, 3)
    ]
    outcome = {"kept": ticket.kept, "size": ticket.size, "mask_bits": ticket.mask_bits, "history": history, **more}
    return Record("search", dict(ticket.provenance.asked), {"accuracy": 0.8, **outcome}, {}, HERE)


@pytest.mark.parametrize("ticket", [any_learned(), mlp_ticket((30,))], ids=["all laws", "mlp"])
def test_the_random_control_is_that_of_a_search(ticket):
    """`shuffled_mask` of slth.learning.controls, bit for bit, without PyTorch."""
    pytest.importorskip("lightning_fabric")
    from slth.learning.controls import control

    shuffled = control(ticket, "shuffled_mask")
    for tensor in ticket.tensors:
        np.testing.assert_array_equal(random_control(tensor, ticket.seed), shuffled.mask(tensor.path))


@pytest.mark.parametrize("shape", [(3, 5), (64, 128), (65, 129), (300, 784), (6, 3, 5, 5), (7,), (1, 1), (2000, 3)])
def test_blocks_part_a_mask(shape):
    """Every weight is in one block: kept fractions times sizes are the kept weights; a small mask is its blocks."""
    mask = np.random.default_rng(0).random(shape) < 0.3
    found = raster(mask)
    matrix = mask.reshape(shape[0], -1) if mask.ndim > 1 else mask.reshape(1, -1)
    rows, columns = found.kept.shape
    starts = [
        np.append(np.arange(n) * count // n, count) for n, count in zip((rows, columns), matrix.shape, strict=True)
    ]
    sizes = np.outer(*(np.diff(part) for part in starts))
    assert sizes.sum() == mask.size
    assert round((found.kept * sizes).sum()) == mask.sum()
    assert (found.block == (1, 1)) == (found.kept.shape == matrix.shape)
    if found.block == (1, 1):
        np.testing.assert_array_equal(found.kept, matrix)


def test_every_kept_weight_of_a_small_mask_is_drawn():
    mask = np.random.default_rng(0).random((12, 20)) < 0.4
    picture = draw(raster(mask), shades(raster(mask)), label="a mask")
    drawn = np.zeros_like(mask)
    for start, row, length in re.findall(r"M(\d+) (\d+)\.5h(\d+)", picture):
        drawn[int(row), int(start) : int(start) + int(length)] = True
    np.testing.assert_array_equal(drawn, mask)
    assert "One cell is one weight." in picture
    assert "<title>a mask</title><desc>" in picture


def test_random_masks_fall_into_their_bar():
    """95 % of masks that keep K of N weights at random keep a share of a tensor that lies in the bar.

    Band: of 2,000 masks, 95 % with a standard deviation of 0.5 %; the number kept is whole, which moves it by 1 %.
    """
    ticket = mlp_ticket((30,), density=0.3)
    rng, size = np.random.default_rng(0), ticket.tensors[1].size
    lower, upper = random_density(ticket, size)
    kept = rng.hypergeometric(ticket.kept, ticket.size - ticket.kept, size, 2000) / size
    assert 0.93 < np.mean((kept >= lower) & (kept <= upper)) < 0.97
    assert random_density(ticket, ticket.size) == (ticket.density, ticket.density)  # nothing is left to chance


def test_how_a_mask_is_spent_is_counted_by_outputs_and_inputs():
    mask = np.zeros((4, 3, 2), np.bool_)
    mask[0], mask[1, 0, 0] = True, True
    outputs, inputs = spreads(mask)
    assert (outputs.empty, inputs.empty) == (2, 0)
    assert outputs.deviation == np.std([6, 1, 0, 0])
    assert inputs.deviation == np.std([3, 2, 2])


def test_the_page_has_masks_densities_training_what_is_carried_and_how_to_repeat_it():
    ticket = any_learned()
    found = record_of(ticket, controls={"random_mask": 0.1, "dense": 0.9})
    html = page([exhibit(ticket, searches=(found,))])
    text = text_of(html)
    for tensor in ticket.tensors:
        assert f"{tensor.path} ({' × '.join(map(str, tensor.shape))}): {tensor.kept:,} of" in text
    for name, values in ticket.carried.items():
        assert name in text
        assert f" {values.size:,} " in text
    for sentence in (
        "the control shuffled_mask of a search",
        "the control random_mask of a search",
        "Training loss. From 1 after the first epoch to 0.3333 after the last.",
        "Accuracy on the test examples. From 0.6 after the first epoch to 0.8 after the last.",
        "Upright lines: where one of 2 stages begins.",
        "random mask: as many weights of the whole network 10.00\xa0%".replace("\xa0", " "),
        "in Python",
        "slth.search(model, 'digits', 'coin flips'",
    ):
        assert sentence in text, sentence
    assert "[" not in text.replace("[0, 1]", "").partition("What is carried")[2].partition("How to repeat")[0]
    assert html.count("<svg") == 2 * len(ticket.tensors) + 1 + 2


def test_a_loop_that_nobody_recorded_has_no_command():
    ticket = mlp_ticket()
    asked = {"method": {"name": "edge-popup", "density": 0.5}, "training": "by hand", "seed": 5}
    own = replace(ticket, provenance=replace(ticket.provenance, method="edge-popup", asked=asked))
    text = text_of(page([exhibit(own)]))
    assert "a loop of its maker's own, which nobody recorded" in text
    assert "slth.search(" not in text
    assert "slth search" not in text


def test_a_curve_is_of_the_ticket_s_own_search():
    """The same question, and as many weights kept; a record of another seed, or none, leaves a sentence."""
    ticket = mlp_ticket()
    own = record_of(ticket)
    other = replace(own, asked={**own.asked, "seed": 3})
    fewer = replace(own, outcome={**own.outcome, "kept": 1})
    assert searches_of(ticket, [other, fewer, own]) == (own,)
    assert "slth search --records R.jsonl keeps its curve" in text_of(page([exhibit(ticket)]))


@pytest.mark.parametrize("history", [3, [], [3], [{"loss": "x"}], [{"loss": float("nan")}] * 3, [{}] * 2, EVIL])
def test_a_stranger_s_curve_is_no_curve(history):
    ticket = mlp_ticket()
    html = page([exhibit(ticket, searches=(record_of(ticket, history=history, controls=EVIL),))])
    assert "The record holds no curve." in html


@pytest.mark.parametrize(
    "asked",
    [
        ["--density", "0.3", "--hidden", "12,6", "--set", "ramp=1"],
        [
            "--method",
            "magnitude",
            "--density",
            "0.5",
            "--last",
            "0.8",
            "--milestones",
            "0.2,0.3",
            "--schedule",
            "multistep",
        ],
        [
            "--method",
            "supermask",
            "--seed",
            "3",
            "--width",
            "0.5",
            "--set",
            "rescale=false",
            "--label-smoothing",
            "0.1",
        ],
    ],
    ids=lambda asked: " ".join(asked),
)
def test_the_command_on_the_page_makes_the_same_file_again(tmp_path, monkeypatch, asked):
    pytest.importorskip("lightning_fabric")
    from slth.cli.app import run

    monkeypatch.chdir(tmp_path)
    assert run(["search", "--epochs", "0.5", *asked, "--out", "t.slth", "--records", "r.jsonl", "-q"]) == 0
    first = (tmp_path / "t.slth").read_bytes()
    assert run(["report", "t.slth", "r.jsonl", "--out", "p.html", "-q"]) == 0
    html = (tmp_path / "p.html").read_text()
    assert "keeps its curve" not in html
    code = re.search(r"<pre>(.*?)</pre>", html).group(1)
    lines = [unescape(re.sub(r"<[^>]+>", "", part)) for part in code.split('<span class="line">')[1:]]
    assert lines[0] == "pip install -c constraints.txt -e '.[search]'"
    (tmp_path / "t.slth").unlink()
    for line in lines[1:]:
        assert run(shlex.split(line)[1:]) == 0, line
    assert (tmp_path / "t.slth").read_bytes() == first
