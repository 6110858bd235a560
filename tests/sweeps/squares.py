"""A cheap verb for tests: x² + y by slow arithmetic, with a log of what was begun and ended beside the results."""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

from slth import sweeps
from slth.sweeps import Option, Recipe, Verb, once

LOG = "log.txt"


def log(shared, word, options):
    """One write, so that lines of several processes do not mix."""
    with open(shared / LOG, "ab", buffering=0) as file:
        file.write(f"{word} {options['x']} {options['y']}\n".encode())


def logged(folder, word):
    path = Path(folder) / "shared" / LOG
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if line.startswith(word)]


def square(options, shared):
    log(shared, "begun", options)
    if options["x"] in (options["bad"] or []):
        raise ArithmeticError(f"{options['x']} is bad")
    if options["x"] == options["deadly"]:
        os.kill(os.getpid(), signal.SIGKILL)
    digest = b""
    for _ in range(options["work"]):
        digest = hashlib.sha256(digest).digest()
    offset = int(once(shared / f"offset-{options['y']}.txt", lambda: str(options["y"]).encode()).read_text())
    log(shared, "ended", options)
    return {"result": options["x"] ** 2 + offset, "nested": {"half": options["x"] / 2}, "digest": digest.hex()}


SQUARE = Verb(
    "square",
    {
        "x": Option(int, 0),
        "y": Option(int, 0),
        "scale": Option(float, 1.0),
        "work": Option(int, 0),
        "bad": Option(list),
        "deadly": Option(int, -1),
        "source": Option(str, file=True),
    },
    square,
    "result",
)


def recipe(xs=3, ys=2, **options):
    return Recipe(SQUARE, options, {"x": list(range(xs)), "y": list(range(ys))})


def answers(folder):
    """What the result files say, without time and place; every file must be whole."""
    found = {}
    for path in Path(folder).glob("*.json"):
        data = json.loads(path.read_bytes())
        if path.name != "slth-sweep.json":
            found[path.name] = {key: data[key] for key in ("question", "kind", "asked", "outcome")}
    return found


def strays(folder):
    """Files that a finished sweep does not leave."""
    return [p.name for p in Path(folder).rglob("*") if p.suffix in (".tmp", ".lock")]


def main():
    """Run {xs, ys, workers, ...} given as JSON, once a line arrives on stdin."""
    folder, text = sys.argv[1:]
    how = json.loads(text)
    workers = how.pop("workers", 1)
    plan = recipe(**how)
    print("ready", flush=True)
    sys.stdin.readline()
    sweeps.run(plan, folder, workers=workers)


def command():
    """The command line, with this verb known to it."""
    from slth.cli import main

    sweeps.VERBS["square"] = SQUARE
    main()
