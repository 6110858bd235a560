"""Folders of finished maps that are damaged, foreign, in use, half written, or on a full disk."""

import errno
import hashlib
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.interrupted import REQUEST, WIDTHS, contents, interrupt, interrupted, made, maps_in, solved
from helpers.networks import inputs_of, random_target

from slth import InputError, _files
from slth.construction import construct, discard, keep_parts, memory, parts, question


@pytest.fixture(autouse=True)
def every_map_is_kept(monkeypatch):
    monkeypatch.setattr(parts, "WORTH_KEEPING", 0)


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


def resealed(change):
    """A file with other facts or bits, and a right digest of them."""

    def damage(path):
        _, facts, bits = path.read_bytes().split(b"\n", 2)
        body = b"\n".join(change(facts, bits))
        path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    return damage


DAMAGES = {
    "a shorter mask": resealed(lambda facts, bits: (facts, bits[:2])),
    "no mask": resealed(lambda facts, bits: (facts, b"")),
    "no facts": resealed(lambda facts, bits: (b"{}", bits)),
    "facts that are a list": resealed(lambda facts, bits: (b"[]", bits)),
    "a miss of another kind": resealed(lambda facts, bits: (facts.replace(b"[]", b'[{"where": 1}]'), bits)),
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


def test_a_refusal_on_resuming_keeps_what_an_earlier_process_left(tmp_path, monkeypatch):
    """Memory may be short this once: what took hours is still there when it is not."""
    whole = made(tmp_path / "w")
    interrupted(tmp_path / "p", 3)
    kept = contents(tmp_path / "p")
    with monkeypatch.context() as patch:
        patch.setattr(memory, "available_memory", lambda: 1000)
        with pytest.raises(InputError, match="needs about"):
            made(tmp_path / "p")
        with pytest.raises(InputError, match="needs about"):
            made(tmp_path / "p", restart=True)
    assert contents(tmp_path / "p") == kept
    assert made(tmp_path / "p") == whole


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
        assert kept.begin({}, sizes={}, problems=0) == set()
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
