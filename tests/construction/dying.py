"""Construct, and die at the n-th step in the file system, for every n; then resume. Prints how many steps there are.

Forks, so it runs in a process of its own: `python -c "from construction.dying import main; main()" FOLDER`.
"""

import itertools
import os
import signal
import sys
from pathlib import Path

from helpers.networks import inputs_of, random_target

from slth.construction import Request, construct, discard, keep_parts, parts, question
from slth.ticket import encode

STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "fcntl.flock")
TARGET, REQUEST = random_target((4, 6, 5, 3)), Request(tolerance=1e-3)


def die_at(step, folder):
    """Kill this process at its n-th step: an event of Python's audit within the folder, or an fsync."""
    count = itertools.count(1)

    def tick(event, args):
        ours = event == "fcntl.flock" or (event in STEPS and str(args[0]).startswith(str(folder)))
        if (ours or event == "fsync") and next(count) == step:
            if event == "open" and isinstance(args[1], str) and args[1][0] in "wx":
                os.close(os.open(args[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC))  # opened, nothing written yet
            os.kill(os.getpid(), signal.SIGKILL)

    fsync = os.fsync

    def dying_fsync(file):
        tick("fsync", ())
        fsync(file)

    os.fsync = dying_fsync
    sys.addaudithook(tick)


def in_child(work):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    base = Path(sys.argv[1])
    parts.WORTH_KEEPING = 0
    inputs = inputs_of(TARGET, -1.0, 1.0)
    expected = encode(construct(TARGET, REQUEST, inputs=inputs))

    def work(folder):
        with keep_parts(folder, lambda: question(TARGET, REQUEST, inputs)) as kept:
            assert encode(construct(TARGET, REQUEST, inputs=inputs, parts=kept)) == expected
        discard(folder)

    for step in itertools.count(1):
        folder = base / str(step)

        def dying(folder=folder, step=step):
            die_at(step, folder)
            work(folder)

        code = in_child(dying)
        assert in_child(lambda folder=folder: work(folder)) == 0, (step, "cannot resume")
        assert not folder.exists(), (step, list(folder.iterdir()))
        if code == 0:
            break
        assert code == -signal.SIGKILL, (step, code)
    print(step)
