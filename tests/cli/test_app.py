"""The command line as a whole: help, usage errors, interrupts."""

import errno
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers.tickets import any_ticket
from safetensors.numpy import save_file

from slth import api
from slth.cli.app import run
from slth.construction import discard
from slth.records import verbs
from slth.ticket import load, save

SLTH = [sys.executable, "-m", "slth"]


def test_usage_errors_are_exit_code_2(capsys):
    for arguments in ([], ["frobnicate"], ["construct", "--tolerance", "x"], ["verify"], ["evaluate", "t.slth"]):
        assert run(arguments) == 2


def test_a_place_that_the_system_refuses_is_one_sentence(capsys, monkeypatch):
    """As a folder is that we may not search: no verb has to foresee it."""

    def refuse(what):
        raise PermissionError(errno.EACCES, "Permission denied", "far/t.slth")

    monkeypatch.setattr(api, "cite", refuse)
    assert run(["cite", "t.slth"]) == 2
    assert capsys.readouterr() == ("", "slth: cannot use far/t.slth: Permission denied; choose another place\n")


def test_help_names_every_command_and_exit_code():
    done = subprocess.run([*SLTH, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for command in ("construct", "verify", "evaluate", "show", "export", "train"):
        assert command in done.stdout
        assert subprocess.run([*SLTH, command, "--help"], capture_output=True).returncode == 0
    assert "130 interrupted" in done.stdout


@pytest.mark.slow
def test_ctrl_c_at_any_moment_is_exit_code_130_and_leaves_no_partial_file(tmp_path):
    """Interrupts after 0.05 to 6 s: start-up, imports, training, solving, writing, printing.

    A ticket that is there was written before the interrupt came, and is whole; finished maps may be kept beside it.
    """
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (400, 300), "2.weight": (400, 400), "4.weight": (10, 400)}
    save_file({k: rng.normal(size=s).astype(np.float32) / 20 for k, s in shapes.items()}, tmp_path / "t.safetensors")
    codes = []
    for delay in np.linspace(0.05, 6, 24):
        out = tmp_path / "o.slth"
        command = [*SLTH, "construct", str(tmp_path / "t.safetensors"), "--out", str(out), "--input-range", "0,1"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
        )
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        codes.append(process.returncode)
        if process.returncode != 0 and delay > 0.2:  # before that the interpreter itself may be starting
            assert process.returncode == 130, err
            assert "Traceback" not in err
        if process.returncode == 0 or out.exists():
            assert load(out).misses == 0
            out.unlink()
        kept = tmp_path / "o.slth.part"
        if kept.exists():
            assert not [name for name in os.listdir(kept) if name.endswith(".tmp")]
            discard(kept)
        assert sorted(os.listdir(tmp_path)) == ["t.safetensors"], delay
    assert 130 in codes


INTERRUPTED = """
import os, signal, sys, types
import slth._files, slth.cli, slth.construction.parts
from slth import api

def interrupt(work, when):
    def run(*args, **options):
        if when == "before":
            os.kill(os.getpid(), signal.SIGINT)
        found = work(*args, **options)
        os.kill(os.getpid(), signal.SIGINT)
        return found
    return run

signal.signal(signal.SIGINT, signal.default_int_handler)
where, when = sys.argv.pop(1).split()
slth.construction.parts.LONG = float("inf")  # seconds: no file but the ticket, however slow the machine
ours = slth._files.os = types.SimpleNamespace(**vars(os))  # the compiler keeps its kernels by os.replace, too
module = {"os.replace": ours, "os.fsync": ours, "api.save": api}[where]
name = where.partition(".")[2]
setattr(module, name, interrupt(getattr(module, name), when))
slth.cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("os.fsync before", marks=pytest.mark.slow),
        pytest.param("os.fsync after", marks=pytest.mark.slow),
        "os.replace before",
        "os.replace after",
        pytest.param("api.save after", marks=pytest.mark.slow),
    ],
)
def test_an_interrupt_around_the_write_leaves_the_old_ticket_or_the_new_one(moment, tmp_path):
    """Exit code 130 either way: what was asked for beside the file was not done."""
    save_file({"0.weight": np.ones((1, 2), np.float32)}, tmp_path / "t.safetensors")
    old = save(any_ticket()[0], tmp_path / "o.slth").read_bytes()
    command = ["construct", "t.safetensors", "--out", "o.slth", "--input-range", "0,1"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, moment, *command], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 130, done.stderr
    assert done.stdout == ""
    assert done.stderr.endswith("slth: interrupted; nothing is left half written\n")
    assert sorted(os.listdir(tmp_path)) == ["o.slth", "t.safetensors"]
    written = moment in ("os.replace after", "api.save after")
    assert ((tmp_path / "o.slth").read_bytes() != old) == written
    assert load(tmp_path / "o.slth").maps.keys() == ({"layers/0"} if written else {"layers/0", "layers/1"})


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
@pytest.mark.parametrize("arguments", [["--help"], ["construct", "--help"], ["show", "o.slth"]])
def test_output_that_cannot_be_written_is_exit_code_2_without_a_traceback(arguments, tmp_path):
    """A reader who has left hears nothing more; a full disk is said."""
    save(any_ticket()[0], tmp_path / "o.slth")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        left = subprocess.run([*SLTH, *arguments], stdout=pipe, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert (left.returncode, left.stderr) == (2, "")
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([*SLTH, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (2, "slth: cannot write the output: No space left on device\n")


@pytest.mark.parametrize("columns", ["60", "80", "200"])
@pytest.mark.parametrize("verb", verbs.VERBS, ids=lambda verb: verb.__name__)
def test_help_says_all_that_the_record_says_in_its_order_and_cuts_nothing(verb, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    assert run([verb.__name__.lower(), "--help"]) == 0
    unbroken = re.sub(r"(?<=\w)-\n\s+", "-", capsys.readouterr().out)  # lines are broken at hyphens, too
    shown = " ".join(unbroken.split())
    at = [0]
    for name, argument in verbs.arguments(verb).items():
        if argument.positional or (argument.flag == "--set" and name != "setting"):
            continue
        flag = verbs.flag_of(name, argument)
        at.append(shown.find(f" {flag} ", at[-1]))
        assert at[-1] > at[-2], (flag, shown)
        help = argument.help.replace("{known}", ", ".join(argument.kind.known))
        assert help in shown[at[-1] :], (flag, shown)
        if argument.unsaid is not None:
            assert f"Default: {argument.unsaid}." in shown[at[-1] :]
        if argument.variable is not None:
            assert f"[env var: {argument.variable}]" in shown[at[-1] :]
    assert "…" not in shown


def test_the_list_of_commands_cuts_nothing(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "..." not in shown.replace("[ARGS]...", "")
    for verb in verbs.VERBS:
        assert " ".join(verb.__doc__.partition("\n\n")[0].split()) in shown
