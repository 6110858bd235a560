"""Writing: through links, with the mode of the file that was there."""

import os
import stat

import pytest

from slth import InputError
from slth._files import append_line, check_writable, write_atomically

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_link_stays_a_link_and_what_it_points_to_is_written(tmp_path):
    (tmp_path / "far").mkdir()
    for name in ("there", "not there"):
        place, link = tmp_path / "far" / name, tmp_path / f"link to {name}"
        if name == "there":
            place.write_bytes(b"old")
        link.symlink_to(place)
        write_atomically(link, b"new")
        append_line(link, "line")
        assert link.is_symlink()
        assert place.read_bytes() == b"new\nline\n"
    assert sorted(os.listdir(tmp_path / "far")) == ["not there", "there"]


def test_a_file_keeps_its_mode_and_its_owner(tmp_path):
    path = tmp_path / "f"
    for wanted in (0o600, 0o640, 0o664, 0o755):
        path.write_bytes(b"old")
        path.chmod(wanted)
        if os.getuid() == 0:
            os.chown(path, 12345, 12345)
        write_atomically(path, b"new")
        assert (mode(path), path.read_bytes()) == (wanted, b"new")
        assert path.stat().st_uid == (12345 if os.getuid() == 0 else os.getuid())


def test_nobody_reads_a_private_file_while_it_is_written(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o600)

    def chunks():
        (temporary,) = [file for file in tmp_path.iterdir() if file != path]
        assert mode(temporary) == 0o600
        yield b"new"

    write_atomically(path, chunks())
    assert path.read_bytes() == b"new"


def test_a_new_file_has_the_mode_of_any_other(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "f", b"new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "f") == 0o640


def test_another_name_of_a_file_keeps_the_old_content(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    os.link(tmp_path / "a", tmp_path / "b")
    write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "b").read_bytes() == b"old"


def test_links_that_lead_nowhere_are_refused(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "none" / "f")
    (tmp_path / "b").symlink_to(tmp_path / "b")
    with pytest.raises(InputError, match="a link into a folder that does not exist"):
        check_writable(tmp_path / "a")
    with pytest.raises(InputError, match="cannot write"):
        write_atomically(tmp_path / "b", b"new")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_file_in_the_place_of_a_folder_is_called_a_file(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt is a file, and no folder"):
        check_writable(tmp_path / "notes.txt" / "history.csv")
    assert (tmp_path / "notes.txt").read_text() == "mine"
