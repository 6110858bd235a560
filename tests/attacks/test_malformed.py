"""A stranger's file is refused in one sentence, within seconds, in memory in proportion to its size."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from attacks.malformed import cases
from attacks.sealing import honest, parts, sealed, text_of

from slth import InputError
from slth.evidence.verify import verify
from slth.ticket import DamagedTicketError, TicketError, decode, encode, load

MEGABYTES = 400  # more than the imports took: 25 times the largest file
SECONDS = 20  # for one case; the slowest takes about one second on an idle core


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """What a fresh process with little memory says about each case."""
    judge = Path(__file__).with_name("judge.py")
    command = [sys.executable, judge, tmp_path_factory.mktemp("judge"), str(MEGABYTES), str(SECONDS)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return {found["case"]: found for found in map(json.loads, done.stdout.splitlines())}


def test_every_case_is_judged_and_the_honest_ticket_passes(judged):
    assert set(judged) == {"honest", "end", *cases()}
    assert judged["honest"]["decode"] == "accepted"
    assert judged["honest"]["verify"] == "holds: True"


@pytest.mark.parametrize("name", cases())
def test_a_malformed_file_is_refused_in_one_sentence(judged, name):
    """A file that fails its digest is a failed check for `verify`; a sealed one must be refused for what it says."""
    found = judged[name]
    kind, _, sentence = found["decode"].partition(": ")
    assert kind in ("TicketError", "DamagedTicketError"), found
    assert sentence.isprintable(), found
    assert 10 < len(sentence) < 600, found
    if kind == "DamagedTicketError":
        assert not name.startswith("sealed"), "the case was meant to get past the digest"
        assert found["verify"] == "holds: False"
    else:
        assert found["verify"].startswith("TicketError: "), found


def test_text_that_looks_like_a_digest_confuses_nobody():
    """In a text of the metadata it is escaped once more; in the mask nobody looks for it."""
    meta, masks = parts(honest())
    field = '"digest":"' + "0" * 64 + '"'
    meta["provenance"]["method"] = field
    data = sealed(meta, masks)
    assert decode(data).provenance.method == field
    assert encode(decode(data)) == data
    wide, masks = parts(honest((3, 60, 2)))
    spot = b'\\"digest\\":\\"' + meta["digest"].encode() + b'\\"'
    masks[0] = spot + masks[0][len(spot) :]
    assert decode(sealed(wide, masks)).masks["layers/0/mixing"][: len(spot)].tobytes() == spot


def test_a_damaged_file_is_told_from_a_foreign_one():
    data = honest()
    with pytest.raises(DamagedTicketError):
        decode(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(TicketError) as caught:
        decode(sealed({**parts(data)[0], "seed": "05"}, parts(data)[1]))
    assert not isinstance(caught.value, DamagedTicketError)
    assert text_of(parts(data)[0]).count("digest") == 1


def test_a_path_that_is_no_file_is_refused_at_once(tmp_path):
    """A pipe nobody writes into, a device without end, a folder, a zero byte, a name too long."""
    pipe = tmp_path / "pipe.slth"
    os.mkfifo(pipe)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(SECONDS)  # a reader that waits is interrupted
    for path in (pipe, "/dev/zero", tmp_path, "a\0b", "n" * 5000, tmp_path / "none"):
        for verb in (load, verify):
            with pytest.raises(InputError, match="cannot read"):
                verb(path)
    signal.alarm(0)


def test_a_file_beyond_the_memory_is_one_sentence(tmp_path, monkeypatch):
    """A sparse file of any size costs its sender nothing."""

    def full(_):
        raise MemoryError

    monkeypatch.setattr("slth.ticket.format.files._read", full)
    with pytest.raises(InputError, match="larger than the memory"):
        load(tmp_path / "huge.slth")
