"""Construct, and die at the n-th step in the file system, for every n; then resume. Prints how many steps there are.

Forks, so it runs in a process of its own: `python -c "from construction.dying import main; main()" FOLDER`.
"""

import itertools
import signal
import sys
from pathlib import Path

from helpers.dying import die_at, in_child
from helpers.networks import inputs_of, random_target

from slth.construction import Request, construct, discard, keep_parts, parts, question
from slth.ticket import encode

TARGET, REQUEST = random_target((4, 6, 5, 3)), Request(tolerance=1e-3)


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
