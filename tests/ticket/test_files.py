"""Tickets in files: `load` and `save` mirror each other, and a failure leaves what was there."""

import re
import subprocess
import sys

import pytest
from helpers.learned import any_learned
from helpers.tickets import any_ticket

from slth import InputError
from slth.ticket import TicketError, encode, load, save


@pytest.mark.parametrize("make", [lambda: any_ticket()[0], any_learned], ids=["constructed", "learned"])
def test_load_and_save_mirror_each_other(make, tmp_path):
    """Text or Path: the path that was written is returned, and the file holds the bytes of `encode`."""
    ticket = make()
    for path in (tmp_path / "a.slth", str(tmp_path / "b.slth")):
        assert str(save(ticket, path)) == str(path)
        assert encode(load(path)) == encode(ticket)
    assert (tmp_path / "a.slth").read_bytes() == (tmp_path / "b.slth").read_bytes() == encode(ticket)
    again = save(load(tmp_path / "a.slth"), tmp_path / "c.slth")
    assert again.read_bytes() == encode(ticket)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.slth", "b.slth", "c.slth"]


def test_a_huge_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.slth"
    with open(path, "wb") as file:
        file.write((2**40).to_bytes(8, "little"))
        file.truncate(2**34)  # sparse: reading it would take 16 GiB
    with pytest.raises(TicketError, match="header would be"):
        load(path)


@pytest.mark.parametrize(
    "verbs",
    ["slth.load, slth.verify, slth.realised", "slth.ticket.load, slth.evidence.verify, slth.ticket.load"],
    ids=["api", "packages"],
)
def test_what_is_no_path_is_one_sentence(verbs):
    """Without the shape checking of these tests, as users call it."""
    code = f"""
import slth, slth.evidence, slth.ticket
for wrong in (b"x", 3, None, [1], open):
    for verb in ({verbs}):
        try:
            verb(wrong)
        except slth.InputError as error:
            print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    sentences = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(sentences) == 15
    for sentence in sentences:
        assert re.match(
            "expected a ticket or the path of one, such as 'mnist.slth', got .*; give a text or a Path", sentence
        )


def test_what_is_no_ticket_is_not_saved(tmp_path):
    code = """
import slth
for wrong in ("t.slth", None):
    try:
        slth.save(wrong, "copy.slth")
    except slth.InputError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    advice = "slth.save(slth.load(path), copy) copies a file"
    assert done.stdout.splitlines() == [
        f"expected a ticket to save, got 't.slth' (str); {advice}",
        f"expected a ticket to save, got None (NoneType); {advice}",
    ]
    assert not list(tmp_path.iterdir())


def test_a_missing_file_or_folder_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        load(tmp_path / "none.slth")
    with pytest.raises(InputError, match=r"folder .* does not exist"):
        save(any_ticket()[0], tmp_path / "none" / "t.slth")
    with pytest.raises(InputError, match="it is a folder"):
        save(any_ticket()[0], tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = save(any_ticket()[0], tmp_path / "t.slth")
    before = path.read_bytes()
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:

            def fail(*_):
                raise OSError(28, "No space left on device")

            patch.setattr(f"os.{name}", fail)
            with pytest.raises(InputError, match="No space left"):
                save(any_ticket(seed=6)[0], path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = save(any_ticket()[0], tmp_path / "t.slth")
    before = path.read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(any_ticket(seed=6)[0], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
