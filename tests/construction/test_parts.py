"""A construction that is interrupted goes on where it ended, to the same bytes; another one is refused."""

import json
import logging
import shutil
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from helpers.gadgets import staged
from helpers.graphs import random_case
from helpers.interrupted import COARSE, REQUEST, WIDTHS, contents, interrupt, interrupted, made, maps_in, solved
from helpers.networks import inputs_of, random_target

from slth import InputError
from slth.construction import Request, construct, keep_parts, parts, plan_layout, question
from slth.ticket import Inputs, encode


@pytest.fixture(autouse=True)
def every_map_is_kept(monkeypatch):
    monkeypatch.setattr(parts, "WORTH_KEEPING", 0)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """What an interrupt at the third map leaves; for all who only look at it, or copy it."""
    folder = tmp_path_factory.mktemp("begun") / "p"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "WORTH_KEEPING", 0)
        interrupted(folder, 3)
    return folder


REQUESTS = {"tolerance": REQUEST, "misses": COARSE, "epsilon": Request(epsilon=0.05)}
SAMPLED = [(1, "tolerance"), (2, "misses"), (3, "epsilon")]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        pytest.param(number, name, marks=() if (number, name) in SAMPLED else pytest.mark.slow)
        for number in (1, 2, 3)
        for name in REQUESTS
    ],
)
def test_an_interrupt_loses_the_map_in_flight_and_nothing_else(number, name, tmp_path, monkeypatch, caplog):
    """Resumed, the other maps are solved, the bytes are those of an uninterrupted run, misses included."""
    request_, paths = REQUESTS[name], solved(monkeypatch)
    whole, order = made(tmp_path / "whole", request_), list(paths)
    assert whole == made(None, request_)
    said = interrupted(tmp_path / "p", number, request_)
    if number == 1:
        assert said == ""
        assert not (tmp_path / "p").exists()
        return
    assert said.startswith(f"{number - 1} of 3 maps are kept in {tmp_path / 'p'}, and the same command goes on")
    assert len(maps_in(tmp_path / "p")) == number - 1
    caplog.set_level(logging.INFO, "slth.api")
    paths.clear()
    started = []
    assert made(tmp_path / "p", request_, started=started) == whole
    assert paths == order[number - 1 :]
    assert 0 < started[0][0] < started[0][1]  # problems that need no solving count as done from the start
    assert f"resuming: {number - 1} of 3 maps were finished" in caplog.text
    assert maps_in(tmp_path / "p") == maps_in(tmp_path / "whole")
    paths.clear()
    assert made(tmp_path / "p", request_) == whole
    assert not paths


@pytest.mark.parametrize("kind", ["plain", "residual", "transposed", "gates"])
def test_maps_of_every_kind_are_resumed(kind, tmp_path, monkeypatch):
    """Kernels, groups and biases, whose masks leave bits out."""
    case = random_case(3, kind)
    inputs = inputs_of_box(case)

    def build(folder, number=None):
        with keep_parts(folder, lambda: question(case.target, REQUEST, inputs)) as kept:
            if number is not None:
                interrupt(kept, number)
            return encode(construct(case.target, REQUEST, inputs=inputs, parts=kept))

    count = len(case.target.graph.maps)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "p", count)
    paths = solved(monkeypatch)
    assert build(tmp_path / "p") == build(None)
    assert len(paths) == 1


def inputs_of_box(case):
    lower, upper = (tuple(np.broadcast_to(end, case.box.shape).reshape(-1).tolist()) for end in
                    (case.box.lower, case.box.upper))  # fmt: skip
    return Inputs(case.box.shape, lower=lower, upper=upper)


def test_attempts_share_a_folder(tmp_path, monkeypatch, caplog):
    """With retries each attempt has its own maps; an interrupt in the second keeps those of the first, too."""
    request = Request(tolerance=1e-3, candidates=8, retries=2)
    whole = made(None, request)
    interrupted(tmp_path / "p", 5, request)
    assert len(maps_in(tmp_path / "p")) == 4
    paths = solved(monkeypatch)
    caplog.set_level(logging.INFO, "slth.api")
    assert made(tmp_path / "p", request) == whole
    assert paths == ["layers/1", "layers/2", "layers/0", "layers/1", "layers/2"]
    assert [line for line in caplog.messages if "resuming" in line] == [
        "resuming: 3 of 3 maps were finished",
        "resuming: 1 of 3 maps were finished",
    ]


OTHERS = {
    "tolerance is 0.001 there and 0.002 here": {"request": Request(tolerance=2e-3)},
    "epsilon is null there and 0.5 here": {"request": Request(epsilon=0.5)},
    "candidates is null there and 20 here": {"request": Request(tolerance=1e-3, candidates=20)},
    "failure_probability is 0.01 there and 0.1 here": {"request": Request(tolerance=1e-3, failure_probability=0.1)},
    "seed is 0 there and 1 here": {"request": Request(tolerance=1e-3, seed=1)},
    "retries is 0 there and 1 here": {"request": Request(tolerance=1e-3, retries=1)},
    "upper is [1.0] there and [2.0] here": {"ends": (-1.0, 2.0)},
    "target is ": {"target": random_target(WIDTHS, seed=1)},
}


@pytest.mark.parametrize("sentence", OTHERS)
def test_another_request_is_refused_and_named(sentence, begun, tmp_path):
    shutil.copytree(begun, tmp_path / "p")
    before = contents(tmp_path / "p")
    with pytest.raises(InputError) as refused:
        made(tmp_path / "p", **OTHERS[sentence])
    assert sentence in str(refused.value)
    assert "restart=True" in str(refused.value)
    assert contents(tmp_path / "p") == before
    assert made(tmp_path / "p", **OTHERS[sentence], restart=True) == made(None, **OTHERS[sentence])
    assert len(maps_in(tmp_path / "p")) >= 3


def test_another_source_is_another_request():
    """The random network of a ticket is named by its seed and its gadgets."""
    target = random_target(WIDTHS)
    inputs = inputs_of(target, -1.0, 1.0)
    sources = [
        construct(target, Request(tolerance=t, seed=s), inputs=inputs) for t, s in ((1e-2, 0), (1e-3, 0), (1e-2, 1))
    ]
    asked = [question(target, Request(source=source), inputs)["source"] for source in sources]
    assert len({None, *asked}) == 4


def test_another_version_is_refused_and_named(tmp_path, monkeypatch):
    interrupted(tmp_path / "p", 3)
    module = import_module("slth.construction.question")
    monkeypatch.setattr(module, "__version__", "9.9")
    with pytest.raises(InputError, match=r"written by slth \S+, this is 9.9; .*restart="):
        made(tmp_path / "p")
    monkeypatch.undo()
    monkeypatch.setattr(module, "_FORMAT", 2)
    with pytest.raises(InputError, match="format is 1 there and 2 here"):
        made(tmp_path / "p")


def test_maps_that_change_names_are_another_request():
    """A target's digest knows no names, random numbers are drawn by them."""
    target = random_target(WIDTHS)
    node = target.graph.nodes[0]
    op = replace(node.op, map="other")
    graph = replace(target.graph, nodes=(replace(node, op=op), *target.graph.nodes[1:]))
    coefficients = {("other" if path == node.op.map else path): part for path, part in target.coefficients.items()}
    renamed = replace(target, graph=graph, coefficients=coefficients, names={})
    first, second = (question(t, REQUEST, inputs_of(target, -1.0, 1.0)) for t in (target, renamed))
    assert first["target"] == second["target"]
    assert first != second


def test_small_networks_are_kept_only_after_a_while(tmp_path, monkeypatch):
    """Nothing is written of work that is repeated in a moment; whatever takes long is kept."""
    monkeypatch.undo()
    made(tmp_path / "p")
    assert not (tmp_path / "p").exists()
    assert interrupted(tmp_path / "p", 3) == ""
    assert not (tmp_path / "p").exists()
    monkeypatch.setattr(parts, "LONG", 0.0)
    interrupted(tmp_path / "p", 3)
    assert len(maps_in(tmp_path / "p")) == 2
    monkeypatch.undo()
    assert interrupted(tmp_path / "p", 1).startswith("2 of 3")  # it is there, so it is used
    made(tmp_path / "p")
    assert len(maps_in(tmp_path / "p")) == 3


def test_maps_that_wait_are_written_at_an_interrupt(tmp_path, monkeypatch):
    """Ctrl-C while a map is written: it is written after all."""
    write, calls = parts.part_files.write_map, []

    def stopped(folder, key, finished):
        calls.append(key)
        if len(calls) == 2:
            raise KeyboardInterrupt
        write(folder, key, finished)

    monkeypatch.setattr(parts.part_files, "write_map", stopped)
    with pytest.raises(KeyboardInterrupt, match="2 of 3 maps are kept"):
        made(tmp_path / "p")
    assert len(maps_in(tmp_path / "p")) == 2


def test_an_error_out_of_reach_leaves_no_folder(tmp_path):
    """The same command would end like that again, and another one would be refused."""
    request = Request(epsilon=1e-3, candidates=4)
    with pytest.raises(InputError, match="attempts made"):
        made(tmp_path / "p", request)
    assert not (tmp_path / "p").exists()


def test_a_place_that_cannot_be_is_refused_before_anything_is_solved(tmp_path, monkeypatch):
    paths = solved(monkeypatch)
    with pytest.raises(InputError, match="does not exist"):
        made(tmp_path / "missing" / "p")
    assert not paths


def test_the_request_says_what_was_asked(tmp_path):
    interrupted(tmp_path / "p", 2)
    asked = json.loads((tmp_path / "p" / "request.json").read_text())
    target = random_target(WIDTHS)
    assert asked == question(target, REQUEST, inputs_of(target, -1.0, 1.0))
    assert {"format", "slth", "target", "seed", "tolerance", "lower", "upper", "mean", "std"} <= set(asked)


def test_the_key_of_a_map_holds_all_that_decides_its_mask():
    """Its number, op, gadget, tolerance, seed and method; the target is the request's."""
    target = random_target(WIDTHS)
    layout = plan_layout(target, REQUEST, inputs=inputs_of(target, -1.0, 1.0))
    path, *others = target.graph.maps
    op, gadget = target.graph.maps[path], layout.gadgets[path]

    def key(*, method="m", maps=None, gadget=gadget, **changes):
        changed = replace(layout, gadgets={**layout.gadgets, path: gadget}, **changes)
        return parts.map_keys(target.graph.maps if maps is None else maps, changed, method)[path]

    keys = [
        key(),
        key(method="n"),
        key(seed=1),
        key(tolerances={**layout.tolerances, path: 0.5}),
        key(maps={path: replace(op, bias=False)}),
        key(maps={others[0]: target.graph.maps[others[0]], path: op}),
        *(key(gadget=staged(gadget, **{name: 2 * getattr(gadget, name)})) for name in ("candidates", "constants")),
        *(key(gadget=staged(gadget, **{name: 2 * getattr(gadget, name)})) for name in ("gain", "bias_gain")),
        key(gadget=replace(gadget, signed_ranges=((0, 1),))),
    ]
    assert len(set(keys)) == len(keys)
    assert key(tolerances={**layout.tolerances, others[0]: 0.5}) == key()


def test_maps_of_an_earlier_attempt_of_one_process_are_used_without_a_word(tmp_path, monkeypatch, caplog):
    target, paths = random_target(WIDTHS), solved(monkeypatch)
    inputs = inputs_of(target, -1.0, 1.0)
    caplog.set_level(logging.INFO, "slth.api")
    with keep_parts(tmp_path / "p", lambda: question(target, REQUEST, inputs)) as kept:
        tickets = [encode(construct(target, REQUEST, inputs=inputs, parts=kept)) for _ in range(2)]
    assert tickets[0] == tickets[1]
    assert len(paths) == 3
    assert "resuming" not in caplog.text
