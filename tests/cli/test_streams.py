"""Streams that are full, closed, left by their reader or ASCII alone: exit code 2 and one sentence, or all is written.

Exit code 1 says that a claim does not hold, and nothing else.
"""

import json
import os
import subprocess
import sys

import pytest

STREAMS = ("full", "closed", "left", "ascii")
SAID = {
    "full": "slth: cannot write the output: No space left on device\n",
    "closed": "slth: cannot write the output: stdout is closed\n",
    "left": "",
}
COMMANDS = [
    ["--help"],
    ["--version"],
    ["verify", "t.slth", "-q"],
    ["verify", "t.slth", "--target", "other.safetensors", "--activation", "relu", "-q"],  # a claim fails
    ["show", "t.slth", "--weight", "0:1,2"],  # bars of blocks
    ["evaluate", "t.slth", "--data", "d.npz"],
    ["evaluate", "t.slth", "--data", "d.npz", "--json"],
    ["plan", "--shape", "4,3", "--input-range", "0,1", "-q"],
    ["construct", "small.safetensors", "--activation", "relu", "--out", "o.slth", "-q", "--tolerance", "0.1"],
    ["sweep", "r.toml", "--dry-run"],
    ["export", "t.slth", "--out", "x.safetensors"],
]
SILENT = ("export",)  # writes nothing to stdout

EACH = """
import io, json, os, signal, sys
import slth.cli, slth.cli.app


def become(stream):
    if stream == "closed":
        os.close(1)
        sys.stdout = sys.__stdout__ = None
        return
    if stream == "full":
        place = os.open("/dev/full", os.O_WRONLY)
    elif stream == "left":
        read, place = os.pipe()
        os.close(read)
    else:
        place = os.open("stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(place, 1)
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="ascii" if stream == "ascii" else "utf-8", closefd=False)

cases = json.loads(sys.argv[1])
sys.stdout, real = io.StringIO(), sys.stdout
for command, stream in cases:
    if stream == "full":
        slth.cli.app.run(command)  # loads and compiles all, for those that are to come
sys.stdout, found = real, []
for command, stream in cases:
    child = os.fork()
    if not child:
        os.dup2(os.open("stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        become(stream)
        sys.argv = ["slth", *command]
        try:
            slth.cli.main()
        except SystemExit as stop:
            os._exit(stop.code)  # which has flushed all; to take the interpreter down would take as long as the rest
    _, status = os.waitpid(child, 0)
    found.append([os.waitstatus_to_exitcode(status), open("stderr").read()])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def ends(made, tmp_path_factory):
    """(exit code, stderr) of every command with every stream; one process loads all and forks for each."""
    if sys.platform == "win32" or not os.path.exists("/dev/full"):
        pytest.skip("devices of Linux")
    import numpy as np
    from safetensors.numpy import load_file, save_file

    folder = tmp_path_factory.mktemp("streams")
    for name in ("t.slth", "d.npz"):
        (folder / name).write_bytes((made / name).read_bytes())
    save_file(
        {k: v + np.float32(0.1) for k, v in load_file(made / "t.safetensors").items()}, folder / "other.safetensors"
    )
    save_file({"0.weight": np.ones((1, 2), np.float32)}, folder / "small.safetensors")
    recipe = 'verb = "construct"\n[options]\ntarget = "small.safetensors"\n[grid]\nseed = [0, 1]\n'
    (folder / "r.toml").write_text(recipe)
    cases = [(command, stream) for command in COMMANDS for stream in STREAMS]
    done = subprocess.run([sys.executable, "-c", EACH, json.dumps(cases)], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {(*command, stream): tuple(end) for (command, stream), end in zip(cases, found, strict=True)}


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_cannot_be_written_is_exit_code_2_and_no_claim(command, stream, ends):
    code, said = ends[(*command, stream)]
    assert "Traceback" not in said
    if stream == "ascii":
        assert code == (1 if "other.safetensors" in command else 0), said
    elif command[0] in SILENT:
        assert code == 0, said
    else:
        assert (code, said) == (2, SAID[stream])


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full", ">&- 2>&-", ">/dev/full 2>/dev/full"])
def test_a_refusal_that_nobody_hears_is_exit_code_2(redirected, tmp_path):
    command = f'"{sys.executable}" -m slth verify nowhere.slth {redirected}'
    assert subprocess.run(command, shell=True, cwd=tmp_path).returncode == 2


def test_without_stdout_no_file_of_ours_takes_its_place():
    """The first file that a process opens gets the number of stdout, if that is free."""
    code = "import os, slth.cli, sys; sys.argv[1:] = ['--version']; import atexit"
    code += "\natexit.register(lambda: os.write(2, str(os.fstat(1).st_rdev == os.stat(os.devnull).st_rdev).encode()))"
    code += "\nslth.cli._open_streams()"
    done = subprocess.run(
        f'"{sys.executable}" -c "$CODE" >&-', shell=True, capture_output=True, env={**os.environ, "CODE": code}
    )
    assert done.stderr == b"True"


def test_in_a_plain_locale_every_character_is_written(made):
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "slth", "show", str(made / "t.slth"), "--weight", "0:1,2"]
    done = subprocess.run(command, capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"????" in done.stdout


def test_a_mistake_of_slth_itself_is_exit_code_2():
    code = "import slth.cli, slth.cli.app; slth.cli.app.run = lambda _: 1 / 0; slth.cli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.endswith("slth: this is a mistake in slth itself; please report what stands above\n")
