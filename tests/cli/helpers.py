"""Refusals of the command line."""

from slth.cli.app import run


def error_of(capsys, *arguments):
    """Exit code 2 and one sentence on stderr, nothing on stdout."""
    capsys.readouterr()
    code = run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert code == 2, (out, err)
    assert out == ""
    assert "Traceback" not in err
    lines = [line for line in err.strip().splitlines() if not line.startswith("slth: assumed")]
    assert len(lines) == 1, err
    return lines[0]


def check_refusals(capsys, folder, cases):
    """Each command ends in its sentence and exit code 2, and leaves a folder as it is."""
    before = sorted(folder.iterdir())
    for arguments, sentence in cases:
        assert sentence in error_of(capsys, *arguments), arguments
        assert sorted(folder.iterdir()) == before, arguments
