"""A sweep may be killed at any moment, and shared by several processes."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from sweeps.squares import answers, logged, recipe, strays

from slth import sweeps
from slth._locks import locked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and file locks are POSIX")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}


def start(function, *arguments, **options):
    code = f"from sweeps.{function.partition('.')[0]} import {function.partition('.')[2]} as go; go()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
    )


def begin(process):
    process.stdin.write("\n")
    process.stdin.flush()


def sweeping(folder, **how):
    process = start("squares.main", folder, json.dumps(how))
    assert process.stdout.readline() == "ready\n"
    return process


def test_death_at_every_step_in_the_file_system_loses_nothing(tmp_path):
    """Every open, fsync, rename, removal and lock of a sweep is its last once; resuming gives the same files."""
    process = start("dying.main", tmp_path, stderr=subprocess.PIPE)
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    assert int(out) > 40  # four cells, a dozen steps each


def kill_at_random_moments(folder, kills, *, workers):
    """Until so many kills have hit a running sweep; a sweep that finishes makes room for the next."""
    how = {"xs": 6, "ys": 5, "work": 20_000, "workers": workers}
    reference = folder / "reference"
    sweeps.run(recipe(6, 5, work=20_000), reference)
    expected = answers(reference)
    rng = random.Random(0)
    hits, rounds = 0, 0
    while hits < kills:
        place = folder / str(rounds)
        process = sweeping(place, **how)
        begin(process)
        try:
            process.wait(timeout=rng.uniform(0.0, 0.5 if workers == 1 else 2.0))
        except subprocess.TimeoutExpired:
            hits += 1
            process.kill()
            process.stdout.read()  # ends when its workers have ended, too
            process.wait()
            assert answers(place).items() <= expected.items()
        else:
            assert process.returncode == 0
            assert answers(place) == expected
            rounds += 1
    sweeps.run(recipe(6, 5, work=20_000), place)
    assert answers(place) == expected
    assert not strays(place)


def test_three_kills_at_random_moments(tmp_path):
    kill_at_random_moments(tmp_path, 3, workers=1)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_twenty_kills_at_random_moments(tmp_path, workers):
    kill_at_random_moments(tmp_path, 20, workers=workers)


def test_two_processes_on_one_folder_do_no_cell_twice(tmp_path):
    """Both begin together, and both return only when everything is finished; a failing cell is tried once in all."""
    both = [sweeping(tmp_path / "r", xs=10, ys=4, work=5_000, bad=[3]) for _ in range(2)]
    for process in both:
        begin(process)
    for process in both:
        assert process.wait() == 0
    begun = Counter(logged(tmp_path / "r", "begun"))
    assert len(begun) == 40
    assert set(begun.values()) == {1}
    assert len(answers(tmp_path / "r")) == 40
    assert not strays(tmp_path / "r")


def test_whoever_waited_for_a_lock_holds_it_against_all_others(tmp_path, monkeypatch):
    """The holder removes the lock's file; a lock on a file without a name would hold nobody off."""
    import fcntl

    lock, asked, found = tmp_path / "x.lock", threading.Event(), []
    flock = fcntl.flock

    def seen(*arguments):
        asked.set()  # the file is open by now
        flock(*arguments)

    def wait():
        with locked(lock), locked(lock, wait=False) as other:
            found.append((lock.exists(), other))

    waiter = threading.Thread(target=wait)
    with locked(lock):
        monkeypatch.setattr(fcntl, "flock", seen)
        waiter.start()
        asked.wait()
    waiter.join()
    assert found == [(True, False)]
    assert not lock.exists()


def test_a_worker_that_dies_is_the_failure_of_its_cell_alone(tmp_path):
    sweep = sweeps.run(recipe(3, 1, deadly=1), tmp_path / "r", workers=2)
    assert [record.outcome["result"] for record in sweep.records] == [0, 4]
    (failure,) = sweep.failed
    assert failure.outcome["error"] == "Died"
    assert failure.asked["x"] == 1
    assert not strays(tmp_path / "r")


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_ends_with_130_and_keeps_what_is_finished(tmp_path, workers):
    text = f'verb = "square"\n[options]\nwork = 20_000\n[grid]\nx = {list(range(2000))}\n'
    (tmp_path / "r.toml").write_text(text)
    process = start(
        "squares.command", "sweep", tmp_path / "r.toml", "--workers", workers,
        stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    results = tmp_path / "r-results"
    while len(logged(results, "ended")) < 5:  # the time limit is the machine's patience
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.endswith("slth: interrupted; nothing is left half written\n")
    assert "Traceback" not in errors
    finished = [path for path in answers(results) if "failed" not in path]
    assert len(logged(results, "ended")) - len(finished) in range(workers + 1)
    assert finished


def test_an_interrupt_before_the_workers_have_begun_is_the_parents_alone(tmp_path):
    """Workers take a second to import what they need; in that time Ctrl-C must not end them with a traceback."""
    (tmp_path / "r.toml").write_text(f'verb = "square"\n[options]\nwork = 20_000\n[grid]\nx = {list(range(50))}\n')
    process = start(
        "squares.command", "sweep", tmp_path / "r.toml", "--workers", 2,
        stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    while not children(process.pid):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.01)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.1)  # started, and still importing
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
