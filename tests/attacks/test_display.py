"""What a stranger wrote is shown as text: it cannot command a terminal, style a table, or run in a page."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from attacks.sealing import changed, honest, parts, sealed
from helpers.tickets import any_ticket

from slth import InputError
from slth.cli.app import run
from slth.evidence.verify import Check, Verdict, Verification
from slth.ticket import TicketError, decode, encode, load, save, summary

TRICKS = ["\x1b[31mred", "\x1b]0;title\x07", "a\nb", "\r", "\x9b2J", "\u202egnp", "\u2066", "\ud800", "\0", "\x7f"]
MARKUP = [
    "[red]",
    "[/]",
    "[bold",
    "[link=file:///etc/passwd]x[/link]",
    "<script>alert(1)</script>",
    "{0}",
    "%s",
    "$(id)",
]


@pytest.mark.parametrize("trick", TRICKS, ids=ascii)
@pytest.mark.parametrize("path", ["provenance.version", "provenance.method", "provenance.names.0.0", "network.name"])
def test_no_text_of_a_ticket_commands_a_terminal(path, trick):
    """Refused on reading and on writing; the sentence that says so is printable."""
    meta, masks = parts(honest())
    with pytest.raises(TicketError) as caught:
        decode(sealed(changed(meta, path, trick), masks))
    assert str(caught.value).isprintable()
    ticket, _ = any_ticket()
    with pytest.raises(InputError):
        encode(replace(ticket, provenance=replace(ticket.provenance, method=trick)))


@pytest.mark.parametrize("trick", TRICKS, ids=ascii)
def test_no_key_of_a_ticket_commands_a_terminal(trick):
    meta, masks = parts(honest())
    for place in ("", "network.", "layers.0.lift.", "bounds.", "bounds.layers.0.", "provenance.", "tensors.0."):
        with pytest.raises(TicketError) as caught:
            decode(sealed(changed(meta, f"{place}{trick}", 1), masks))
        assert str(caught.value).isprintable(), place


def shown(capsys, *command):
    """Exit code, and everything printed."""
    code = run([str(part) for part in command])
    out, err = capsys.readouterr()
    return code, out + err


@pytest.mark.parametrize("name", [*MARKUP, "\x1b[31mred", "\u202egnp"], ids=ascii)
def test_a_file_name_is_shown_as_it_is(tmp_path, capsys, name):
    """Markup of our own tables does not apply to it, and control characters do not reach the terminal."""
    ticket, _ = any_ticket()
    path = save(ticket, tmp_path / f"{name.replace('/', '')}.slth")
    code, text = shown(capsys, "show", path)
    assert code == 0
    assert "relu_mlp 3-4-2" in text
    assert text.replace("\n", "").isprintable()
    assert not name.isprintable() or path.name in text


@pytest.mark.parametrize("text", [*MARKUP, "\x1b[31mred", "\u202egnp"], ids=ascii)
def test_the_detail_of_a_check_is_shown_as_it_is(capsys, text):
    from slth.cli import _verify

    _verify._table(Verification((Check("integrity", Verdict.FAILS, f"{text} is damaged"),)))
    out = capsys.readouterr().out
    assert out.rstrip("\n").isprintable()
    assert "FAILS" in out
    assert not text.isprintable() or f"{text} is damaged" in out


def test_a_summary_holds_no_markup_of_others():
    """What is shown of a ticket are numbers; texts of its maker stand in no row."""
    ticket, _ = any_ticket()
    loud = replace(ticket, provenance=replace(ticket.provenance, method="<script>", version="<img src=x>"))
    rows = summary(decode(encode(loud)))
    assert len(rows) > 10
    assert not any(mark in text for row in rows for text in row for mark in ("<script", "<img", "&lt;"))


def test_show_needs_no_more_than_the_file(tmp_path, capsys):
    """Refused files end with exit code 2 and one sentence; odd widths and huge seeds are shown."""
    path = tmp_path / "t.slth"
    save(any_ticket((1, 1), seed=10**99)[0], path)
    code, text = shown(capsys, "show", path)
    assert code == 0
    assert str(10**99) in text
    for cut in (0, 7, 100, len(honest()) - 1):
        path.write_bytes(honest()[:cut])
        code, text = shown(capsys, "show", path)
        assert code == 2
        assert text.startswith("slth: ")
        assert text.count("\n") == 1


def test_a_file_name_that_is_no_text_does_not_crash(tmp_path):
    """Bytes that are no UTF-8 arrive as halves of surrogate pairs, which no terminal takes."""
    path = os.path.join(os.fsencode(tmp_path), b"\xff.slth")
    try:
        with open(path, "wb") as file:
            file.write(honest())
    except OSError:
        pytest.skip("this file system takes no such name")
    command = [sys.executable, "-m", "slth", "show", path]
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(command, capture_output=True, env=strict, timeout=60)
    assert done.returncode == 0, done.stderr
    assert load(os.fsdecode(path)).seed == 5
