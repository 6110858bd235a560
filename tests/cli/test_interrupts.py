"""`slth construct` interrupted by Ctrl-C and kill -9: what is kept, what is said, and the same bytes in the end."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cli.helpers import error_of
from safetensors.numpy import save_file

from slth.cli import _print
from slth.cli.app import run
from slth.construction import parts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
WAITING = """
import signal, sys, time
import slth.cli
from slth.construction import parts

parts.WORTH_KEEPING, put, left = 0, parts.Parts.put, [int(sys.argv.pop(1))]

def waiting(*arguments):
    left[0] -= 1
    if left[0] < 0:
        print("waiting", file=sys.__stdout__, flush=True)  # what libraries print goes to stderr
        while True:  # a signal that came before `signal.pause()` would be slept through
            time.sleep(0.05)
    put(*arguments)

parts.Parts.put = waiting
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
slth.cli.main()
"""


def write_target(path, widths, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {f"{2 * i}.weight": (out, inp) for i, (inp, out) in enumerate(itertools.pairwise(widths))}
    save_file({k: (rng.normal(size=s) / np.sqrt(s[1] / 2)).astype(np.float32) for k, s in shapes.items()}, path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a target of four maps, all of which are kept."""
    write_target(tmp_path / "t.safetensors", (8, 10, 9, 8, 3))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parts, "WORTH_KEEPING", 0)
    return tmp_path


COMMAND = ["construct", "t.safetensors", "--input-range", "0,1", "--out", "o.slth"]


def whole(*more):
    assert run([*COMMAND, "-q", "--out", "whole.slth", *more]) == 0
    assert not Path("whole.slth.part").exists()
    return Path("whole.slth").read_bytes()


def stopped(count, sign, *more):
    """A process that got a signal after so many maps; its errors."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(count), *COMMAND, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(sign)
    out, errors = process.communicate()
    assert out == ""
    assert process.returncode == (130 if sign == signal.SIGINT else -sign)
    return errors


def contents():
    """What is kept, but for the lock that a killed process leaves behind."""
    return {path.name: path.read_bytes() for path in Path("o.slth.part").iterdir() if path.name != "lock"}


@pytest.mark.parametrize(("sign", "count"), [(signal.SIGINT, 2), (signal.SIGKILL, 3)])
def test_a_stopped_command_goes_on_to_the_same_bytes(sign, count, here, capsys):
    expected = whole()
    errors = stopped(count, sign)
    if sign == signal.SIGINT:
        said = (
            f"slth: interrupted; {count} of 4 maps are kept in o.slth.part, and the same command goes on from there\n"
        )
        assert errors.endswith(said)
    assert "Traceback" not in errors
    assert not Path("o.slth").exists()
    assert len(list(Path("o.slth.part").glob("*.map"))) == count
    assert run(COMMAND) == 0
    assert f"slth: resuming: {count} of 4 maps were finished\n" in capsys.readouterr().err
    assert Path("o.slth").read_bytes() == expected
    assert sorted(os.listdir()) == ["o.slth", "t.safetensors", "whole.slth"]


def test_what_stands_in_the_way_is_one_sentence_and_restart_discards_it(here, capsys):
    """Other options, another target, another version, a foreign folder; --restart is for our own folders only."""
    stopped(2, signal.SIGKILL)
    kept = contents()
    write_target(here / "other.safetensors", (8, 10, 9, 8, 3), seed=1)
    other = ["construct", "other.safetensors", *COMMAND[2:]]
    assert "tolerance is 0.0001 there and 0.01 here" in error_of(capsys, *COMMAND, "--tolerance", "0.01")
    assert "target is" in error_of(capsys, *other)
    assert "--restart" in error_of(capsys, *COMMAND, "--seed", "5")
    assert contents() == kept
    assert run([*other, "-q", "--restart"]) == 0
    assert Path("o.slth").read_bytes() != whole()
    assert not Path("o.slth.part").exists()
    Path("o.slth.part").mkdir()
    Path("o.slth.part/mine").touch()
    for more in ([], ["--restart"]):
        assert "holds 'mine', which no construction wrote" in error_of(capsys, *COMMAND, *more)
    assert os.listdir("o.slth.part") == ["mine"]


def test_a_second_command_for_the_same_ticket_is_refused(here, capsys):
    process = subprocess.Popen([sys.executable, "-c", WAITING, "1", *COMMAND], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "waiting\n"
        for more in ([], ["--restart"]):
            assert "another process works on o.slth.part" in error_of(capsys, *COMMAND, *more)
    finally:
        process.kill()
        process.communicate()
    assert run([*COMMAND, "-q"]) == 0


def test_a_full_disk_while_the_ticket_is_written_keeps_every_map(here, capsys, monkeypatch):
    from slth import api

    def full(*_, threads):
        raise api._construct.InputError("cannot write o.slth: No space left on device")

    expected = whole()
    with monkeypatch.context() as faulty:
        faulty.setattr(api, "save", full)
        assert "No space left" in error_of(capsys, *COMMAND)
    assert len(list(Path("o.slth.part").glob("*.map"))) == 4
    assert run(COMMAND) == 0
    assert "resuming: 4 of 4 maps were finished" in capsys.readouterr().err
    assert Path("o.slth").read_bytes() == expected
    assert not Path("o.slth.part").exists()


def test_an_interrupt_while_the_ticket_is_written_says_that_every_map_is_kept(here, monkeypatch):
    from slth import api

    def interrupted(*_, threads):
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "save", interrupted)
    with pytest.raises(KeyboardInterrupt, match=r"all maps are kept in o\.slth\.part, and the same command goes on"):
        run(COMMAND)
    assert len(list(Path("o.slth.part").glob("*.map"))) == 4


def test_a_folder_that_somebody_has_put_a_file_into_stays_and_the_ticket_stands(here, capsys, monkeypatch):
    from slth import api

    save = api.save

    def saved(ticket, out, *, threads):
        Path("o.slth.part/mine").touch()
        return save(ticket, out, threads=threads)

    monkeypatch.setattr(api, "save", saved)
    assert run(COMMAND) == 0
    assert "o.slth.part is not removed" in capsys.readouterr().err
    assert Path("o.slth").exists()
    assert Path("o.slth.part/mine").exists()


def test_off_a_terminal_progress_is_lines_with_rate_and_time_left_if_asked_for(here, capsys, monkeypatch):
    ticks = iter(range(10**6))
    monkeypatch.setattr(_print, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    monkeypatch.setattr(_print, "_EVERY", 0.0)
    assert run([*COMMAND, "-v"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("slth: constructing: ")]
    assert lines
    assert lines[-1].startswith("slth: constructing: 266 of 266, ")
    assert " left, " in lines[-1]
    assert lines[-1].endswith(" problems a second")
    for more in ([], ["-q", "-v"]):
        assert run([*COMMAND, *more]) == 0
        assert "constructing" not in capsys.readouterr().err


def test_pace_is_that_of_what_was_done_here():
    """What an earlier process did counts for nothing, nor the first step; work that begins anew is measured anew."""
    seconds = iter([0.0, 10.0, 11.0, 12.0, 100.0, 101.0])
    pace = _print.Pace("steps", lambda: next(seconds))
    said = [pace.words(done, 10_000) for done in (5_000, 5_100, 5_200, 5_400, 0, 2)]
    assert said == [
        "",
        "8:10 left, 10 steps a second",
        "0:48 left, 100 steps a second",
        "0:31 left, 150 steps a second",
        "",
        "1:23:19 left, 2.0 steps a second",
    ]


COUNTING = """
import signal, sys
import slth.cli
from slth.construction import parts

log, put = sys.argv.pop(1), parts.Parts.put

def counted(kept, key, finished):
    with open(log, "a") as file:
        file.write(key + "\\n")
    put(kept, key, finished)

parts.Parts.put = counted
signal.signal(signal.SIGINT, signal.default_int_handler)
slth.cli.main()
"""


@pytest.mark.slow
def test_twenty_interrupts_at_random_moments_lose_nothing_but_the_map_in_flight(tmp_path, monkeypatch):
    """Ctrl-C and kill -9 over the whole run of 12 maps of 360,000 weights; each resumed to the same bytes."""
    monkeypatch.chdir(tmp_path)
    write_target(tmp_path / "t.safetensors", (*[600] * 12, 10))
    command = [*COMMAND, "--tolerance", "0.001953125", "--threads", "1"]
    call = [sys.executable, "-c", COUNTING, "log", *command]
    start = time.monotonic()
    subprocess.run(call, check=True, capture_output=True)
    seconds, expected = time.monotonic() - start, Path("o.slth").read_bytes()
    maps = Path("log").read_text().split()
    assert len(maps) == 12
    rng, hits, kept = random.Random(0), 0, []
    while hits < 20:
        for name in ("o.slth", "log"):
            Path(name).unlink(missing_ok=True)
        process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        sign = rng.choice([signal.SIGINT, signal.SIGKILL])
        try:
            process.wait(timeout=rng.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(sign)
        _, errors = process.communicate()
        if process.returncode == 0 or Path("o.slth").exists():
            continue  # it was too fast
        hits += 1
        folder = Path("o.slth.part")
        kept.append(len(list(folder.glob("*.map"))) if folder.exists() else 0)
        if sign == signal.SIGINT and kept[-1]:
            assert f"{'all' if 'all maps' in errors else f'{kept[-1]} of 12'} maps are kept" in errors
        done = subprocess.run(call, check=True, capture_output=True, text=True)
        assert (f"resuming: {kept[-1]} of 12 maps were finished" in done.stderr) == (kept[-1] > 0)
        assert Path("o.slth").read_bytes() == expected
        solved = Path("log").read_text().split()
        assert set(solved) == set(maps)
        assert len(solved) <= 13  # the map in flight twice, at most
        assert sorted(os.listdir()) == ["log", "o.slth", "t.safetensors"]
    assert len(set(kept)) > 4  # at many moments of the run
