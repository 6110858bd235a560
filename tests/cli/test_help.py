"""Help and lists at 80 columns: nothing is cut, nothing is wider."""

import os
import re
import subprocess
import sys

import pytest

from slth.cli.app import run
from slth.records import verbs

NAMES = [verb.__name__.lower() for verb in verbs.VERBS]


def words(text):
    """Without what line breaks and the layout do to a sentence."""
    return re.sub(r"[\s|]+", "", text)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_and_its_help_stand_whole_at_80_columns(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert run([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    verb = next(verb for verb in verbs.VERBS if verb.__name__.lower() == name)
    for key, argument in verbs.arguments(verb).items():
        if argument.flag == "--set" and key != "setting":
            continue
        assert argument.positional or verbs.flag_of(key, argument) in shown, key
        assert words(argument.help.replace("{known}", ", ".join(argument.kind.known))) in words(shown), key


def test_the_list_of_commands_is_whole_in_a_process_of_its_own():
    """As a terminal of 80 columns has it."""
    done = subprocess.run(
        [sys.executable, "-m", "slth", "--help"], capture_output=True, text=True, env={**os.environ, "COLUMNS": "80"}
    )
    assert max(map(len, done.stdout.splitlines())) <= 80
    for verb in verbs.VERBS:
        first = (verb.__doc__ or "").split("\n\n")[0]
        assert words(first) in words(done.stdout), verb


def test_search_names_methods_models_and_presets(monkeypatch, capsys):
    pytest.importorskip("lightning_fabric")
    from slth.learning import METHODS, PRESETS
    from slth.network import ARCHITECTURES

    monkeypatch.setenv("COLUMNS", "80")
    assert run(["search", "--list"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    lines = {
        line.split()[0]: line.split()[1:] for line in shown.splitlines() if line.startswith("  ") and line[2] != " "
    }
    assert set(lines) == {*METHODS, *ARCHITECTURES, *PRESETS}
    assert all(lines.values())  # a line with each
    for title in ("methods", "models", "presets"):
        assert f"{title}\n" in shown
