"""A construction that is interrupted goes on where it ended, to the same bytes, or says why it does not."""

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from helpers.graphs import random_case
from helpers.networks import inputs_of, random_target

from slth import InputError, _files
from slth.construction import Request, construct, discard, keep_parts, parts, question
from slth.ticket import encode

WIDTHS = (4, 6, 5, 3)  # three maps
REQUEST = Request(tolerance=1e-3)
COARSE = Request(tolerance=1e-3, candidates=8)  # misses


@pytest.fixture(autouse=True)
def every_map_is_kept(monkeypatch):
    monkeypatch.setattr(parts, "WORTH_KEEPING", 0)


def made(folder, request=REQUEST, target=None, *, ends=(-1.0, 1.0), restart=False, stop_at=None, started=None):
    """The ticket's bytes, its maps kept in a folder; `stop_at`: an interrupt comes in the map of this number."""
    target = random_target(WIDTHS) if target is None else target
    inputs = inputs_of(target, *ends)

    def progress(done, total):
        if started is not None and not started:
            started.append((done, total))

    with keep_parts(folder, lambda: question(target, request, inputs), restart=restart) as kept:
        if stop_at is not None:
            interrupt(kept, stop_at)
        return encode(construct(target, request, inputs=inputs, progress=progress, parts=kept))


def interrupt(kept, number):
    """Ctrl-C in the middle of a map: it is solved, and not yet kept."""
    put, count = kept.put, []

    def interrupted(key, finished):
        count.append(key)
        if len(count) == number:
            raise KeyboardInterrupt
        put(key, finished)

    kept.put = interrupted


def interrupted(folder, number, request=REQUEST, **asked):
    """A folder in which all maps before one are kept."""
    with pytest.raises(KeyboardInterrupt) as stop:
        made(folder, request, stop_at=number, **asked)
    return str(stop.value)


def maps_in(folder):
    return sorted(file.name for file in folder.iterdir() if file.suffix == ".map")


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def solved(monkeypatch):
    """The paths of the maps of a chain that are solved from now on."""
    paths, put = [], parts.Parts.put

    def counted(kept, key, finished):
        paths.append(f"layers/{int(key[:3])}")
        put(kept, key, finished)

    monkeypatch.setattr(parts.Parts, "put", counted)
    return paths


@pytest.mark.parametrize("request_", [REQUEST, COARSE, Request(epsilon=0.05)], ids=["tolerance", "misses", "epsilon"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_interrupt_loses_the_map_in_flight_and_nothing_else(number, request_, tmp_path, monkeypatch, caplog):
    """Resumed, the other maps are solved, the bytes are those of an uninterrupted run, misses included."""
    paths = solved(monkeypatch)
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
    from slth.ticket import Inputs

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
def test_another_request_is_refused_and_named(sentence, tmp_path):
    interrupted(tmp_path / "p", 3)
    before = contents(tmp_path / "p")
    with pytest.raises(InputError) as refused:
        made(tmp_path / "p", **OTHERS[sentence])
    assert sentence in str(refused.value)
    assert "--restart" in str(refused.value)
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
    with pytest.raises(InputError, match=r"slth is \S+ there and 9.9 here; .*--restart"):
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


def flipped(place):
    def damage(path):
        data = bytearray(path.read_bytes())
        data[place(data)] ^= 1
        path.write_bytes(data)

    return damage


def truncated(path):
    path.write_bytes(path.read_bytes()[:-1])


def swapped(path):
    """A whole file, of another map."""
    path.write_bytes((path.parent / maps_in(path.parent)[0]).read_bytes())


DAMAGES = {
    "truncated": truncated,
    "empty": lambda path: path.write_bytes(b""),
    "a bit of its digest": flipped(lambda data: 5),
    "a bit of its facts": flipped(lambda data: 70),
    "a bit of its mask": flipped(lambda data: len(data) - 1),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "of another map": swapped,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_map_is_named_and_solved_again(damage, tmp_path, monkeypatch, caplog):
    whole = made(tmp_path / "p")
    name = maps_in(tmp_path / "p")[1]
    DAMAGES[damage](tmp_path / "p" / name)
    paths = solved(monkeypatch)
    caplog.set_level(logging.INFO, "slth.api")
    assert made(tmp_path / "p") == whole
    assert paths == ["layers/1"]
    assert [message for message in caplog.messages if name in message and "solved again" in message]
    assert "resuming: 2 of 3 maps were finished" in caplog.text


def test_a_damaged_request_is_refused_and_nothing_is_removed(tmp_path):
    interrupted(tmp_path / "p", 3)
    for text in (b"", b"{", b"[1]", b'{"other": 1}', b"[" * 100_000):
        (tmp_path / "p" / "request.json").write_bytes(text)
        before = contents(tmp_path / "p")
        for restart in (False, True):
            with pytest.raises(InputError, match="damaged, or none that slth wrote"):
                made(tmp_path / "p", restart=restart)
        assert contents(tmp_path / "p") == before


def foreign_file(folder):
    (folder / "notes.txt").write_text("mine")


def foreign_folder(folder):
    (folder / "lock").mkdir()


def no_request(folder):
    (folder / "request.json").unlink()


def a_link(folder):
    (folder / "request.json").rename(folder.parent / "elsewhere.json")
    (folder / "request.json").symlink_to(folder.parent / "elsewhere.json")


def a_file(folder):
    shutil.rmtree(folder)
    folder.write_text("mine")


def a_linked_folder(folder):
    folder.rename(folder.parent / "elsewhere")
    folder.symlink_to(folder.parent / "elsewhere")


FOREIGN = {
    foreign_file: "holds 'notes.txt', which no construction wrote",
    foreign_folder: "holds 'lock', which no construction wrote",
    no_request: "holds maps and no request.json",
    a_link: "holds 'request.json', which no construction wrote",
    a_file: "is no folder",
    a_linked_folder: "is no folder",
}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("spoil", FOREIGN, ids=lambda spoil: spoil.__name__)
def test_a_folder_that_is_not_ours_is_refused_and_never_touched(spoil, restart, tmp_path):
    folder = tmp_path / "p"
    interrupted(folder, 3)
    spoil(folder)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=FOREIGN[spoil]):
        made(folder, restart=restart)
    with pytest.raises(InputError):
        discard(folder)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_a_killed_writer_left_is_removed(tmp_path):
    interrupted(tmp_path / "p", 3)
    name = maps_in(tmp_path / "p")[0]
    for left in (f".{name}.0123abcd.tmp", ".request.json.0123abcd.tmp", "lock"):
        (tmp_path / "p" / left).write_bytes(b"half")
    assert made(tmp_path / "p") == made(None)
    assert sorted(contents(tmp_path / "p")) == [*maps_in(tmp_path / "p"), "request.json"]
    discard(tmp_path / "p")
    assert not (tmp_path / "p").exists()
    discard(tmp_path / "p")  # nothing to do


@pytest.mark.parametrize("left", [[], ["lock"], ["lock", ".request.json.0123abcd.tmp"]])
def test_a_process_killed_before_it_wrote_its_request_leaves_a_folder_of_ours(left, tmp_path):
    (tmp_path / "p").mkdir()
    for name in left:
        (tmp_path / "p" / name).touch()
    assert made(tmp_path / "p") == made(None)
    assert len(contents(tmp_path / "p")) == 4


@pytest.mark.parametrize("files", [0, 1, 2, 3])
def test_a_full_disk_in_the_middle_is_one_sentence_and_what_was_finished_remains(files, tmp_path, monkeypatch):
    """The request and three maps are four files: the disk is full after so many of them."""
    fsync, count = os.fsync, []

    def full(file):
        count.append(file)
        if len(count) > files:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(file)

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device") as refused:
        made(tmp_path / "p")
    monkeypatch.undo()
    monkeypatch.setattr(parts, "WORTH_KEEPING", 0)
    if files < 2:
        assert not (tmp_path / "p").exists()
    else:
        assert f"{files - 1} of 3 maps are kept" in str(refused.value)
        assert sorted(contents(tmp_path / "p")) == [*maps_in(tmp_path / "p"), "request.json"]
        assert len(maps_in(tmp_path / "p")) == files - 1
    assert "\n" not in str(refused.value)
    assert made(tmp_path / "p") == made(None)


def test_a_second_process_on_one_folder_is_refused(tmp_path):
    interrupted(tmp_path / "p", 2)
    target = random_target(WIDTHS)
    inputs = inputs_of(target, -1.0, 1.0)
    before = contents(tmp_path / "p")
    with keep_parts(tmp_path / "p", lambda: question(target, REQUEST, inputs)) as kept:
        for restart in (False, True):
            with pytest.raises(InputError, match="another process works on"):
                made(tmp_path / "p", restart=restart)
        with pytest.raises(InputError, match="another process works on"):
            discard(tmp_path / "p")
        assert kept.begin({}, 0) == set()
    assert contents(tmp_path / "p") == before


def test_a_folder_that_another_process_has_made_meanwhile_is_refused(tmp_path):
    """Both begin before there is a folder."""
    target = random_target(WIDTHS)
    inputs = inputs_of(target, -1.0, 1.0)
    with keep_parts(tmp_path / "p", lambda: question(target, REQUEST, inputs)) as kept:
        interrupt(kept, 99)
        with keep_parts(tmp_path / "p", lambda: question(target, REQUEST, inputs)) as other:
            other.flush()
            with pytest.raises(InputError, match="another process works on"):
                construct(target, REQUEST, inputs=inputs, parts=kept)


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


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and forks are POSIX")
def test_death_at_every_step_in_the_file_system_is_resumed_to_the_same_bytes(tmp_path):
    """Every open, fsync, rename, removal and lock is the last once; the next run finishes and leaves nothing."""
    command = [sys.executable, "-c", "from construction.dying import main; main()", str(tmp_path)]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{Path(__file__).parents[1]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 25  # request, lock and three maps: five or so steps each, and their removal
