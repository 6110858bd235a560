"""Run a sweep that dies at its n-th step in the file system, for every n; then resume. Prints what went wrong.

Forks, so it runs in a process of its own: `python -c "from sweeps.dying import main; main()" FOLDER`.
"""

import itertools
import signal
import sys
from pathlib import Path

from helpers.dying import die_at, in_child
from sweeps.squares import answers, recipe, strays

from slth import sweeps
from slth.sweeps._folder import Folder


def main():
    base = Path(sys.argv[1])
    plan = recipe(2, 2, bad=[1])

    def undisturbed(folder):
        table = sweeps.run(plan, folder).table()
        Folder(folder).write("table.csv", table.as_csv().encode())  # as the heat map, which takes long

    undisturbed(base / "reference")
    # the folder of reference names its failures' tracebacks alike, since the code is the same
    expected = answers(base / "reference")
    names = {p.relative_to(base / "reference") for p in (base / "reference").rglob("*")}
    for step in itertools.count(1):
        folder = base / str(step)

        def dying(folder=folder, step=step):
            die_at(step, folder)
            undisturbed(folder)

        code = in_child(dying)
        whole = answers(folder)
        assert whole.items() <= expected.items(), (step, "a file that is no result")
        assert in_child(lambda folder=folder: undisturbed(folder)) == 0, (step, "cannot resume")
        assert answers(folder) == expected, (step, "other results")
        assert {p.relative_to(folder) for p in folder.rglob("*")} == names, (step, strays(folder))
        if code == 0:
            break
        assert code == -signal.SIGKILL, (step, code)
    print(step)
