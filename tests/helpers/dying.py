"""A process that dies at its n-th step in the file system. It forks, so call it in a process of its own."""

import itertools
import os
import signal
import sys

STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "fcntl.flock")


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
