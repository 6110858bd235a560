"""Stages: planned so that bits cost in proportion, solved with rests that are exact, and mended where one misses."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from helpers.networks import inputs_of, random_target

import slth
from slth import InputError
from slth.construction import Request, construct, lay_out, mending, parts, plan_layout, solve
from slth.construction.sizes import gaussian
from slth.construction.stages import FINEST, MOST_STAGES, StagePlan, later_stage, plan_stages, share_bits
from slth.construction.width import StageWidth, finest_tolerance, plan_sizes, plan_width
from slth.graph import Affine
from slth.numerics import Stream, uniform
from slth.subsetsum import first_batch
from slth.ticket import Stage, TwoLayer

FAILURE = 0.01


@pytest.mark.parametrize("bits", [0.3, 7.0, 12.5, 24.0, 36.25, 50.0])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_bits_are_shared_evenly_and_none_is_lost(bits, count):
    found = share_bits(bits, count)
    assert len(found) == count
    assert sum(found) == pytest.approx(bits)
    assert all(each == int(each) >= 0 for each in found[:-1])
    assert max(found) - min(found) <= 2


def planned(bits, count=400_000):
    return plan_sizes(gaussian(count, 0.1), None, 2.0 ** (-bits - 1), failure=FAILURE)


def test_few_bits_take_one_stage_and_many_one_for_every_twelve_to_sixteen():
    assert [len(planned(bits).stages) for bits in (4, 8, 12, 16)] == [1, 1, 1, 1]
    for bits in (24, 30, 36, 42, 48, 50):
        stages = planned(bits).stages
        assert 12 <= bits / len(stages) <= 18
        assert stages[0].candidates > stages[1].candidates
        assert planned(bits).expected_misses <= FAILURE


def test_gains_of_stages_are_what_the_stages_before_leave():
    width = planned(36)
    bits = share_bits(36.0, len(width.stages))
    for before, after, own in zip(width.stages, width.later, bits, strict=False):
        assert after.gain == before.gain * 2.0**-own
        assert after.bias_gain == 1.0
        assert after.constants == 0


def test_candidates_grow_in_proportion_to_the_bits():
    total = [sum(stage.candidates for stage in planned(bits).stages) for bits in (12, 24, 36, 48)]
    assert np.diff(total).max() <= 24
    assert total[-1] < 3 * total[0]


def test_a_bias_has_as_many_stages_as_its_weights_whatever_its_size():
    for largest in (1e-9, 0.3, 1e3):
        layer = Affine(np.full((2, 3, 1), 0.3), np.full(2, largest))
        none = np.zeros(3, np.bool_)
        width = plan_width(layer, 1e-10, signed=none, failure=FAILURE)
        assert len(width.stages) > 1
        assert all(stage.constants >= 1 for stage in width.stages)
        end = width.stages[-1].bias_gain
        assert end * 2.0**-40 < 1e-10


def test_rests_are_missed_as_rarely_as_planned():
    """Uniform in ±½, the candidates of a later stage: the share that its plan leaves to mending, at most."""
    plan = later_stage(1.0, 12.0, failure=1.0)
    assert plan is not None
    pair = uniform(Stream(3, "rests"), (2, 30_000, plan.candidates)).astype(np.float64)
    rests = np.random.default_rng(0).uniform(-0.5, 0.5, 30_000)
    found = first_batch((0.75 + 0.25 * pair[0]) * pair[1], rests, tol=2.0**-13)
    assert 0.2 * plan.expected_mended <= (found.error > 2.0**-13).mean() <= 1.1 * plan.expected_mended
    assert plan.candidates <= 12 + 9


def test_a_plan_without_an_answer_is_none():
    assert plan_stages(1e6, 30.0, failure=FAILURE, first=lambda bits, share: None) is None
    assert later_stage(1e6, 40.0, failure=1e-60) is None
    given = plan_stages(
        1.0, 40.0, failure=FAILURE, first=lambda bits, share: StagePlan(bits, 9, 0.0), candidates=9, extra=2
    )
    assert given is not None
    assert {stage.candidates for stage in given[1:]} == {11}
    assert len(given) <= MOST_STAGES


def test_the_finest_tolerance_is_that_of_float64():
    layer = Affine(np.full((2, 3, 1), 0.3), None)
    finest = finest_tolerance(layer, signed=np.zeros(3, np.bool_), failure=FAILURE)
    assert finest == 0.5 * 2.0 ** -(FINEST + 1)


# --- solved ---


def narrowed(layout, candidates):
    """A layout whose later stages are narrower than planned."""
    gadgets, widths = {}, {}
    for path, gadget in layout.gadgets.items():
        first, *later = gadget.stages
        own = [replace(s, candidates=candidates, constants=min(s.constants, candidates)) for s in later]
        stages = (first, *own)
        fewer = replace(gadget, stages=tuple(replace(s, neurons=0) for s in stages))
        gadgets[path] = fewer.narrowest(layout.graph.maps[path])
        widths[path] = replace(
            layout.widths[path], later=tuple(StageWidth(s.gain, s.bias_gain, s.candidates, s.constants) for s in own)
        )
    return replace(layout, gadgets=gadgets, widths=widths)


@pytest.fixture(scope="module")
def narrow():
    """A network at 36 bits whose later stages miss one rest in forty or so."""
    target = random_target((20, 30, 4))
    inputs = inputs_of(target, -1.0, 1.0)
    layout = narrowed(plan_layout(target, Request(relative_tolerance=2.0**-37), inputs=inputs), 17)
    return target, inputs, layout


@pytest.fixture(scope="module")
def hopeless(narrow):
    """The same with later stages of two candidates."""
    target, inputs, layout = narrow
    return solve(target, narrowed(layout, 2), inputs=inputs, asked={"relative_tolerance": 2.0**-37})


def test_misses_of_a_stage_are_mended_across_the_blocks_of_a_map(narrow, monkeypatch):
    target, inputs, layout = narrow
    asked = {"relative_tolerance": 2.0**-37}
    assert solve(target, layout, inputs=inputs, asked=asked).misses == 0
    monkeypatch.setattr(mending, "PASSES", ())
    assert solve(target, layout, inputs=inputs, asked=asked).misses > 20


def test_a_mended_ticket_has_the_same_bytes_for_any_number_of_threads_and_holds(narrow):
    target, inputs, layout = narrow
    asked = {"relative_tolerance": 2.0**-37}
    one, three = (solve(target, layout, inputs=inputs, asked=asked, threads=threads) for threads in (1, 3))
    assert all((one.masks[tensor] == three.masks[tensor]).all() for tensor in one.masks)
    assert slth.verify(one, target=target).holds


def test_weights_that_no_stage_reaches_are_listed_as_they_are_off(narrow, hopeless):
    """Stages of two candidates: nearly every weight is missed, and what is left of it stays exact."""
    target, _, _ = narrow
    ticket = hopeless
    assert ticket.misses > 500
    for miss in ticket.provenance.misses[::40]:
        part, affine = ticket.realised(miss.map), target.coefficients[miss.map]
        got = part.positive[miss.output, miss.input, 0] if miss.half == "positive" else None
        if got is not None:
            assert miss.error == abs(got - affine.weight[miss.output, miss.input, 0])
    assert slth.verify(ticket, target=target).holds


def test_a_stage_is_never_worse_than_keeping_nothing(hopeless):
    """So that what is left stays exact: errors of missed weights are at most those of the stage before."""
    for path, gadget in hopeless.gadgets.items():
        assert hopeless.claims.maps[path].weight_error <= gadget.stages[1].gain / 2 * (1 + 1e-6)


def test_a_source_of_stages_takes_another_target():
    target, other = random_target((6, 8, 3)), random_target((6, 8, 3), seed=1)
    inputs = inputs_of(target, 0.0, 1.0)
    first = construct(target, Request(relative_tolerance=2.0**-30), inputs=inputs)
    second = construct(other, Request(relative_tolerance=2.0**-30, source=first), inputs=inputs)
    assert [g.stage_count for g in second.gadgets.values()] == [g.stage_count for g in first.gadgets.values()]
    assert slth.verify(second, target=other).holds
    assert second.claims.weight_error < 1e-6


def test_an_error_of_a_deep_network_takes_stages_by_itself():
    """Twelve layers whose weights grow what comes in: 40 bits and more in the first ones."""
    target = random_target((6,) * 13, scale=3.0)
    inputs = inputs_of(target, 0.0, 1.0)
    ticket = construct(target, Request(epsilon=0.01), inputs=inputs)
    assert ticket.claims.sup_error <= 0.01
    assert max(gadget.stage_count for gadget in ticket.gadgets.values()) > 1
    with pytest.raises(InputError, match="float64 and 16 stages reach"):
        construct(target, Request(epsilon=1e-9), inputs=inputs)


def test_finished_maps_of_several_stages_are_found_again(tmp_path, monkeypatch):
    """Stopped in the second map: the first one is read, and the ticket has the bytes of one that ran through."""
    monkeypatch.setattr(parts, "WORTH_KEEPING", 0)
    target = random_target((5, 6, 3))
    state = {
        f"{i}.{name}": values
        for i, affine in enumerate(target.coefficients.values())
        for name, values in (("weight", affine.weight[:, :, 0]), ("bias", affine.bias))
    }
    asked = {"relative_tolerance": 2.0**-31, "input_range": (0, 1), "threads": 1}
    whole = slth.construct(state, **asked)
    assert {gadget.stage_count for gadget in whole.gadgets.values()} == {2}
    first = whole.gadgets["layers/0"].cost(whole.maps["layers/0"]).problems

    def stop(done, _):
        if done > first:
            raise KeyboardInterrupt

    folder = tmp_path / "finished"
    with pytest.raises(KeyboardInterrupt):
        slth.construct(state, **asked, resume=folder, progress=stop)
    assert len(list(folder.glob("*.map"))) == 1
    again = slth.construct(state, **asked, resume=folder)
    assert slth.ticket.encode(again) == slth.ticket.encode(whole)


def test_the_first_stage_alone_is_what_a_single_one_would_be():
    """Layouts of coarse tolerances have one stage, with the candidates of today's plan."""
    target = random_target((20, 30, 4))
    layout = lay_out(target, dict.fromkeys(target.graph.maps, 1e-3), inputs=inputs_of(target, -1.0, 1.0))
    for gadget in layout.gadgets.values():
        assert isinstance(gadget, TwoLayer)
        assert len(gadget.stages) == 1
        assert isinstance(gadget.stages[0], Stage)
    assert Fraction(layout.expected_misses) <= Fraction(FAILURE)


@pytest.mark.parametrize("asked", [{"tolerance": 1e-12, "candidates": 4}, {"tolerance": 1e-12, "candidates": 20}])
def test_a_ticket_whose_width_was_given_verifies_with_its_misses(asked):
    """Beside what a miss leaves, the sums of a later stage do not fit into float64."""
    target = random_target((6, 8, 3))
    model = {f"{i}.weight": part.weight[:, :, 0] for i, part in enumerate(target.coefficients.values())}
    ticket = slth.construct(model, input_range=(-1, 1), activation="relu", threads=1, **asked)
    assert max(gadget.stage_count for gadget in ticket.gadgets.values()) > 1
    assert (ticket.misses > 0) == (asked["candidates"] == 4)
    found = slth.verify(ticket, target=model, activation="relu")
    assert found.holds, [check for check in found.checks if check.verdict.name == "FAILS"]
