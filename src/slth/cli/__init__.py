"""The command line: parse, call one verb, print. `main` alone is imported at start, so Ctrl-C is met at any moment."""

import errno
import os
import signal
import sys


def main() -> None:
    """Entry point of `slth`. Exit codes: 0 all holds, 1 something fails, 2 bad input or output, 130 interrupted.

    Interrupted, each file is as it was before, or whole: who interrupts while the summary of a ticket is printed, or
    while it is verified, finds it written. An interrupt may say what is kept for the next time.
    """
    said = ""
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
        print(f"slth: cannot write the output: {error.strerror}", file=sys.stderr, flush=True)  # of stdout
        os._exit(2)
    if code == 130:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print(f"slth: interrupted; {said or 'nothing is left half written'}", file=sys.stderr, flush=True)
        os._exit(code)  # an interrupt inside exec(), as dataclasses use it, would make Python end by the signal itself
    sys.exit(code)


def _flush() -> None:
    """Write now what Python would write while it ends, where a reader who has left is a traceback."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()


__all__ = ["main"]
