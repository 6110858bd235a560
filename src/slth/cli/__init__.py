"""The command line: parse, call one verb, print. `main` alone is imported at start, so Ctrl-C is met at any moment."""

import os
import signal
import sys


def main() -> None:
    """Entry point of `slth`. Exit codes: 0 all holds, 1 something does not hold, 2 bad input, 130 interrupted."""
    try:
        from slth.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("slth: interrupted; nothing is left half written", file=sys.stderr)
        code = 130
    except BrokenPipeError:  # the reader of our output left, as `slth show T | head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


__all__ = ["main"]
