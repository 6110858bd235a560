"""The public door: what comes in is checked and left as it is, what goes out does not depend on how it was computed."""

import signal
import subprocess
import sys
import time
from inspect import unwrap

import numpy as np
import pytest

from slth import InputError
from slth.subsetsum import (
    Status,
    closest,
    closest_batch,
    enumerate_closest,
    fewest,
    fewest_batch,
    first,
    first_batch,
)


def batch(count, n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, n)), rng.uniform(-1, 1, count)


SOLVERS = {
    "first": (lambda v, z: first(v, z, tol=1e-3), lambda v, z, **k: first_batch(v, z, tol=1e-3, **k)),
    "fewest": (lambda v, z: fewest(v, z, tol=1e-3), lambda v, z, **k: fewest_batch(v, z, tol=1e-3, **k)),
    "closest": (closest, closest_batch),
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n", [0, 1, 9, 20])
def test_a_batch_is_its_problems_one_by_one(solver, n):
    one, many = SOLVERS[solver]
    values, targets = batch(60, n)
    answers = many(values, targets)
    assert len(answers) == 60
    assert answers.kept.shape == (60, n)
    for row, target, answer in zip(values, targets, answers, strict=True):
        single = one(row, target)
        assert (single.kept == answer.kept).all()
        assert (single.error, single.status) == (answer.error, answer.status)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("count", "n"), [(0, 5), (1, 5), (7, 20), (5000, 14), (3, 40)])
def test_threads_change_no_bit(solver, count, n, monkeypatch):
    values, targets = batch(count, n, seed=1)
    serial = SOLVERS[solver][1](values, targets)
    monkeypatch.setattr("slth.subsetsum._rows.STEPS", 1000)  # what one block finishes would get no threads
    for threads in (2, 3):
        parallel = SOLVERS[solver][1](values, targets, threads=threads)
        assert (parallel.packed == serial.packed).all()
        assert parallel.error.tobytes() == serial.error.tobytes()
        assert (parallel.codes == serial.codes).all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_blocks_change_no_bit(solver, monkeypatch):
    values, targets = batch(40, 13, seed=2)
    whole = SOLVERS[solver][1](values, targets)
    monkeypatch.setattr("slth.subsetsum._rows.STEPS", 1)  # one row per block
    cut = SOLVERS[solver][1](values, targets)
    assert (cut.packed == whole.packed).all()
    assert (cut.error == whole.error).all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_inputs_may_be_any_real_array_and_are_not_modified(solver):
    many = SOLVERS[solver][1]
    values, targets = batch(30, 10, seed=3)
    values, targets = values.astype(np.float32).astype(float), targets.astype(np.float32).astype(float)
    before = values.copy(), targets.copy()
    plain = many(values, targets)
    assert (values == before[0]).all()
    assert (targets == before[1]).all()
    frozen = values.copy()
    frozen.flags.writeable = False
    for same in (values.astype(np.float32), np.asfortranarray(values), frozen, values.tolist(), values.astype(">f8")):
        assert (many(same, targets).packed == plain.packed).all()
    assert (many(np.repeat(values, 2, axis=1)[:, ::2], targets[::-1][::-1]).packed == plain.packed).all()
    whole = np.random.default_rng(4).integers(-9, 10, (5, 8))
    assert (many(whole, whole[:, 0]).packed == many(whole.astype(float), whole[:, 0].astype(float)).packed).all()


def test_masks_packed_and_unpacked_are_the_same():
    answers = closest_batch(*batch(50, 33, seed=5))
    weights = 1 << np.arange(33, dtype=np.uint64)
    assert ((answers.kept * weights).sum(axis=1, dtype=np.uint64) == answers.packed).all()
    assert all((answers[i].kept == answers.kept[i]).all() for i in range(-50, 50))
    with pytest.raises(IndexError):
        answers[50]


def test_codes_name_the_statuses():
    from slth.subsetsum import _fixed_point_kernels

    for code, status in list(enumerate(Status))[:4]:  # the others are never in a batch
        assert getattr(_fixed_point_kernels, status.name) == code
    answers = first_batch([[1.0, 2.0], [1.0, 2.0]], [3.0, 1.5], tol=0.1)
    assert [answer.status for answer in answers] == [Status.WITHIN_TOL, Status.BEST_EFFORT]
    assert [answers.count(status) for status in Status] == [1, 0, 1, 0, 0, 0, 0]
    assert "1 BEST_EFFORT" in repr(answers)


def test_the_limit_that_is_checked_is_the_one_of_the_kernels():
    from slth.subsetsum import _fixed_point_kernels, _inputs

    assert _inputs.EXACT_VALUES == _fixed_point_kernels.EXACT_MAX


NAN, INF = float("nan"), float("inf")
BAD = {
    "nan value": (lambda: first([0.5, NAN], 0.1, tol=0.1), r"finite, got nan at index \(0, 1\)"),
    "infinite value": (lambda: closest([INF], 0.1), "finite, got inf"),
    "nan target": (lambda: closest([0.5], NAN), "targets must be finite"),
    "infinite target": (lambda: closest_batch([[0.5]], [-INF]), "targets must be finite"),
    "sum beyond float64": (lambda: closest([1e308, 1e308], 0.0), "power of two"),
    "values too deep": (lambda: first([[0.5]], 0.1, tol=0.1), "use first_batch or closest_batch"),
    "values too flat": (lambda: first_batch([0.5], [0.1], tol=0.1), r"two-dimensional, \(batch, n\), got shape \(1,\)"),
    "ragged values": (lambda: closest_batch([[0.5], [0.5, 0.5]], [0.1, 0.1]), "different lengths"),
    "complex values": (lambda: closest([1j], 0.1), "real numbers, got dtype complex128"),
    "words": (lambda: closest(["one"], 0.1), "real numbers"),
    "huge integers": (lambda: closest([2**53 + 1], 0), "2\\^53"),
    "too few targets": (lambda: first_batch([[0.5], [0.5]], [0.1], tol=0.1), "2 rows and 1 targets"),
    "tol zero": (lambda: first([0.5], 0.1, tol=0.0), "positive finite"),
    "tol negative": (lambda: first_batch([[0.5]], [0.1], tol=-1e-300), "positive finite"),
    "tol nan": (lambda: first([0.5], 0.1, tol=NAN), "positive finite"),
    "tol infinite": (lambda: first([0.5], 0.1, tol=INF), "positive finite"),
    "65 values": (lambda: first(np.ones(65), 0.1, tol=0.1), "at most 64 values, got 65"),
    "41 values": (lambda: closest(np.ones(41), 0.1), "at most 40 non-zero values per problem, got 41"),
    "41 values in a row": (lambda: closest_batch([np.zeros(41), np.ones(41)], [0.1, 0.1]), "got 41"),
    "25 values": (lambda: enumerate_closest(np.ones(25), 0.1), "at most 24 values, got 25"),
    "no threads": (lambda: first_batch([[0.5]], [0.1], tol=0.1, threads=0), "threads must be an integer of at least 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_smallest_bad_input_is_refused_in_a_sentence(case):
    call, message = BAD[case]
    with pytest.raises(InputError, match=message):
        call()


def test_wrong_types_are_refused_in_a_sentence_too():
    """Past the runtime type checker, which only tests run with and which refuses them first."""
    with pytest.raises(InputError, match="target must be a number, got shape"):
        unwrap(closest)([0.5], [0.1])
    with pytest.raises(InputError, match="targets must be one-dimensional"):
        unwrap(closest_batch)([[0.5]], 0.1)
    with pytest.raises(InputError, match=r"threads must be an integer of at least 1, got 1\.5"):
        unwrap(closest_batch)([[0.5]], [0.1], threads=1.5)
    with pytest.raises(InputError, match="positive finite number"):
        unwrap(first)([0.5], 0.1, tol="0.1")


def test_the_largest_good_inputs_are_taken():
    assert first(np.ones(64), 63.0, tol=0.5).error == 0
    assert closest(np.ones(40), 39.25).error == 0.25
    assert enumerate_closest(np.ones(24), 23.25).error == 0.25
    assert closest([2**53], 0).error == 0
    assert closest([1.7e308, -1e-320], 1e300).error == 1e300


def run(code, *flags):
    return subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, timeout=120)


def test_importing_subset_sums_loads_no_compiler_no_threads_and_no_torch():
    code = "import sys, slth.subsetsum; print({'torch', 'numba', 'joblib'} & set(sys.modules) or 'light')"
    assert run(code).stdout.strip() == "light"


def test_one_thread_needs_no_joblib():
    code = "import sys; from slth.subsetsum import closest_batch as c; c([[1.0]] * 9, [0.0] * 9, threads=1)"
    assert run(code + "; sys.exit('joblib' in sys.modules)").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("threads", [1, 2])
def test_control_c_is_heard_within_a_block(threads):
    """An hour of work is interrupted; twenty seconds are patience for a busy machine."""
    code = f"""
import numpy as np
from slth.subsetsum import closest_batch
values = np.random.default_rng(0).uniform(-1, 1, (200_000, 40))
closest_batch(values[:1], [0.3])
print("ready", flush=True)
closest_batch(values, np.full(200_000, 0.3), threads={threads})
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
    )
    assert process.stdout.readline().strip() == "ready"
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in err
