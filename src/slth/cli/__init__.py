"""The command line: parse, call one verb, print. `main` alone is imported at start, so Ctrl-C is met at any moment."""

import errno
import io
import os
import signal
import sys
import traceback
from contextlib import suppress

_LOST = (errno.ENOSPC, errno.EBADF, errno.EIO, errno.EDQUOT)  # what writing to a stream may end in


def main() -> None:
    """Entry point of `slth`. Exit codes: 0 all holds, 1 something fails, 2 bad input or output, 130 interrupted.

    Interrupted, each file is as it was before, or whole: who interrupts while the summary of a ticket is printed, or
    while it is verified, finds it written. An interrupt may say what is kept for the next time.
    """
    said = ""
    try:
        _open_streams()
        from slth.cli.app import run

        code = run(sys.argv[1:])
        _flush()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: while Python cleans up, Ctrl-C would end it by -2
    except KeyboardInterrupt as stop:
        code, said = 130, str(stop)
    except BrokenPipeError:
        os._exit(2)  # what is left to print has no reader
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in _LOST:
            _say(f"slth: cannot write the output: {error.strerror}")  # of stdout
        else:  # 1 would be said of a claim
            _say(f"{traceback.format_exc()}slth: this is a mistake in slth itself; please report what stands above")
        os._exit(2)
    if code == 130:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _say(f"slth: interrupted; {said or 'nothing is left half written'}")
        os._exit(code)  # an interrupt inside exec(), as dataclasses use it, would make Python end by the signal itself
    sys.exit(code)


class _Closed(io.TextIOBase):
    """A stdout that was closed when we started: whoever writes there is told."""

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        raise OSError(errno.EBADF, "stdout is closed")


def _open_streams() -> None:
    """Streams that take every character, and no file of ours in the place of one that is closed."""
    with suppress(OSError):
        while (place := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(place)
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:  # what is said has no reader
        sys.stderr = io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # characters that an ASCII terminal lacks are question marks


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
