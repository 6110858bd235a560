"""Planned seconds and bytes: what they must do whatever the constants are."""

import itertools
import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

import slth
from slth import InputError
from slth.construction import Request, construct, costs_of, memory, outline, plan_outline
from slth.construction import costs as costs_module
from slth.construction.costs import growth, seconds_of_first
from slth.construction.memory import available_memory
from slth.graph import Affine, chain
from slth.ticket import Inputs

FIXED = {
    "calibration": 0.005,
    "first": {"bits": [1, 4, 9, 16, 28], "microseconds": [0.1, 0.3, 0.5, 1.5, 130.0]},
    "step_microseconds": 0.005,
    "nanoseconds": {
        **dict.fromkeys(("generate_bit", "write_bit", "verify_bit", "verify_weight"), 20.0),
        "certify_weight": 100.0,
        "certify_operation": 0.02,
    },
    "bytes": {
        "process": 2e8,
        "thread": 3e7,
        "weight": 24.0,
        "map_weight": 32.0,
        "map_bit": 2.0,
        "file_bit": 0.125,
        "file_map": 1000.0,
    },
}


@pytest.fixture(autouse=True)
def constants(monkeypatch):
    """The shipped ones are measured again from time to time."""
    monkeypatch.setattr(costs_module, "_constants", lambda: FIXED)


def test_the_shipped_constants_are_complete_and_positive():
    shipped = json.loads((files("slth.construction") / "plan_costs.json").read_text())
    for name, known in FIXED.items():
        assert not isinstance(known, dict) or set(known) == set(shipped[name])
    assert shipped["calibration"] > 0
    assert min(shipped["first"]["microseconds"]) > 0
    assert min(*shipped["nanoseconds"].values(), *shipped["bytes"].values()) >= 0
    assert shipped["nanoseconds"]["generate_bit"] > 0
    assert shipped["bytes"]["process"] > 2**25
    assert shipped["bytes"]["map_weight"] + shipped["bytes"]["weight"] >= 8  # what is realised, if nothing else


def planned(shape, bits=9, **more):
    return plan_outline(outline(shape, lower=0.0), Request(relative_tolerance=2.0**-bits, **more))


def test_twice_the_maps_cost_twice_the_time_and_the_file():
    (part,) = planned((100, 100))
    once, twice = costs_of([part], threads=1), costs_of([replace(part, times=2)], threads=1)
    for name in ("generation", "solving", "certificate", "writing", "verify", "construct", "wall"):
        assert getattr(twice.seconds, name) == pytest.approx(2 * getattr(once.seconds, name))
    assert abs(twice.file_bytes - 2 * once.file_bytes) <= 2
    assert once.memory < twice.memory < 2 * once.memory  # the process, and what the largest map takes, count once


def test_threads_share_generation_and_solving_and_nothing_else():
    maps = planned((300, 300, 10))
    one, four = (costs_of(maps, threads=threads).seconds for threads in (1, 4))
    assert one.construct == four.construct == pytest.approx(one.wall)
    serial = one.certificate + one.writing
    assert four.wall == pytest.approx(serial + (one.generation + one.solving) / 4)


def test_finer_tolerances_cost_more_of_everything():
    costs = [costs_of(planned((300, 300, 10), bits), threads=2) for bits in (4, 9, 14, 19, 24, 29)]
    for coarse, fine in itertools.pairwise(costs):
        assert coarse.seconds.generation < fine.seconds.generation
        assert coarse.memory <= fine.memory
        assert coarse.file_bytes < fine.file_bytes
    for coarse, fine in itertools.pairwise(costs[:4]):  # of one stage
        assert coarse.seconds.solving < fine.seconds.solving
    seconds = [seconds_of_first(50, bits) for bits in np.linspace(1, 45, 200)]
    assert np.diff(seconds[20:]).min() >= 0
    assert seconds[-1] < 1  # no more than a search through all that it looks at


def test_bits_cost_time_in_proportion_once_stages_share_them():
    """12 bits more cost about what the first 12 do; one stage of 24 would take 30 times as long as one of 12."""
    solving = [costs_of(planned((600, 600), bits), threads=1).seconds.solving for bits in (12, 24, 36, 48)]
    assert 0.5 * solving[0] < min(np.diff(solving))
    assert max(np.diff(solving)) < 5 * solving[0]


def test_what_the_system_says_about_memory_is_read(tmp_path):
    """MemAvailable; the groups of the process and those above them, of both versions; the smallest counts."""
    assert available_memory(tmp_path) is None or memory._address_space(tmp_path) is not None
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 2000 kB\nMemAvailable:    1000 kB\n")
    assert memory._free(tmp_path) == 1_024_000
    assert memory._group(tmp_path) is None
    group = tmp_path / "sys/fs/cgroup/a/b"
    group.mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/a/b\n")
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("5\n")
    assert memory._group(tmp_path) is None
    (group.parent / "memory.max").write_text("900000\n")
    (group.parent / "memory.current").write_text("400000\n")
    assert memory._group(tmp_path) == 500_000
    (group.parent / "memory.stat").write_text("anon 7\ninactive_file 1000\n")
    assert memory._group(tmp_path) == 501_000
    assert available_memory(tmp_path) == 501_000
    old = tmp_path / "sys/fs/cgroup/memory/c"
    old.mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("4:cpu,memory:/c\n3:pids:/a/b\n")
    (old / "memory.limit_in_bytes").write_text("300\n")
    (old / "memory.usage_in_bytes").write_text("400\n")
    assert available_memory(tmp_path) == 0


def networks():
    rng = np.random.default_rng(0)
    weight = rng.normal(scale=0.1, size=(200, 150, 1))
    return chain([Affine(weight, None)]), Inputs((150,), lower=(0.0,), upper=(1.0,))


def test_a_model_larger_than_memory_is_refused_before_anything_is_solved(monkeypatch):
    """What it needs, what there is, what fits; a plan of that size and tolerance is accepted."""
    target, inputs = networks()
    request = Request(relative_tolerance=2.0**-9)
    maps = slth.construction.plan_maps(target, request, inputs=inputs)
    needed = growth(maps, threads=1)
    ticket, solved = construct(target, Request(tolerance=0.3), inputs=inputs), []
    monkeypatch.setattr("slth.construction.plan.solve", lambda *_, **__: solved.append(1) or ticket)

    def refusal(available, request=request):
        monkeypatch.setattr(memory, "available_memory", lambda: available)
        with pytest.raises(InputError) as caught:
            construct(target, request, inputs=inputs)
        return str(caught.value)

    fewer = growth([memory._narrowed(part, 20) for part in maps], threads=1)
    said = refusal(fewer)
    assert "this construction needs about" in said
    assert "20 candidates would fit, which is enough for a relative tolerance of 2^-" in said
    bits = int(said.rpartition("2^-")[2])
    again = Request(relative_tolerance=2.0**-bits)
    assert slth.construction.plan_maps(target, again, inputs=inputs)[0].gadget.candidates <= 20
    assert "no number of candidates fits, nor would any map; the largest, layers/0, has 30,000 weights" in refusal(0)
    narrow = growth([memory._narrowed(part, 1) for part in maps], threads=1)
    assert "a single map of about 2" in refusal(narrow - 1)
    assert "1 candidate would fit, which is enough for a relative tolerance of 2^-1" in refusal(narrow)  # pruned
    strict = Request(relative_tolerance=2.0**-9, candidates=30, failure_probability=1e-30)
    target.coefficients["layers/0"].weight[0, 0, 0] = 0.66 * maps[0].gadget.gain
    assert "1 candidate would fit, too few for any tolerance at this failure probability" in refusal(narrow, strict)
    assert not solved
    for available in (None, needed):
        monkeypatch.setattr(memory, "available_memory", lambda available=available: available)
        construct(target, request, inputs=inputs)
    assert len(solved) == 2


def test_fewer_threads_are_advised_where_they_would_fit(monkeypatch):
    target, inputs = networks()
    request = Request(relative_tolerance=0.1)
    one = growth(slth.construction.plan_maps(target, request, inputs=inputs), threads=1)
    monkeypatch.setattr(memory, "available_memory", lambda: one)
    with pytest.raises(InputError, match="with fewer threads it would fit: give threads=1"):
        construct(target, request, inputs=inputs, threads=400)
    assert construct(target, request, inputs=inputs, threads=1).claims is not None


def test_a_source_that_does_not_fit_cannot_be_narrower(monkeypatch):
    target, inputs = networks()
    source = construct(target, Request(tolerance=0.05), inputs=inputs)
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    with pytest.raises(InputError, match="its source fixes the random network"):
        construct(target, Request(tolerance=0.05, source=source), inputs=inputs)
