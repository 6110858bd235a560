"""The command line: parse, call one verb, print. `main` alone is imported at start, so Ctrl-C is met at any moment."""

import errno
import io
import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Entry point of `slth`. Exit codes: 0 all holds, 1 something fails, 2 bad input or output, 130 interrupted.

    Interrupted, each file is as it was before, or whole: who interrupts while the summary of a ticket is printed, or
    while it is verified, finds it written. An interrupt may say what is kept for the next time.
    """
    said = ""
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]  # closed: what is said has no reader
        sys.stderr = io.StringIO()
    try:
        from slth.cli.app import run

        code = run(sys.argv[1:])
        _flush()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: while Python cleans up, Ctrl-C would end it by -2
    except KeyboardInterrupt as stop:
        code, said = 130, str(stop)
    except BrokenPipeError:
        os._exit(2)  # what is left to print has no reader
    except OSError as error:
        if error.filename is not None or error.errno != errno.ENOSPC:
            raise
        _say(f"slth: cannot write the output: {error.strerror}")  # of stdout
        os._exit(2)
    if code == 130:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _say(f"slth: interrupted; {said or 'nothing is left half written'}")
        os._exit(code)  # an interrupt inside exec(), as dataclasses use it, would make Python end by the signal itself
    sys.exit(code)


def _say(sentence: str) -> None:
    """On stderr, if it can be written."""
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)


def _flush() -> None:
    """Write now what Python would write while it ends, where a reader who has left is a traceback."""
    if sys.__stdout__ is not None:
        sys.__stdout__.flush()
    with suppress(OSError):  # what cannot be said is no reason to fail
        sys.stderr.flush()


__all__ = ["main"]
