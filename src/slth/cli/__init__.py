"""The command line: parse, call one verb, print. `main` alone is imported at start, so Ctrl-C is met at any moment."""

import os
import signal
import sys


def main() -> None:
    """Entry point of `slth`. Exit codes: 0 all holds, 1 something does not hold, 2 bad input, 130 interrupted.

    Interrupted, each file is as it was before, or whole: who interrupts while the summary of a ticket is printed, or
    while it is verified, finds it written.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as any filter: end quietly when the reader leaves
    try:
        from slth.cli.app import run

        code = run(sys.argv[1:])
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: while Python cleans up, Ctrl-C would end it by -2
    except KeyboardInterrupt:
        code = 130
    if code == 130:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("slth: interrupted; nothing is left half written", file=sys.stderr, flush=True)
        os._exit(code)  # an interrupt inside exec(), as dataclasses use it, would make Python end by the signal itself
    sys.exit(code)


__all__ = ["main"]
