"""A small run with all that a resumed one could forget: dropout, BatchNorm, momenta, augmentation, several stages.

As a program it runs in processes of its own: `training.py kill FOLDER COUNT` kills a run COUNT times and
resumes it, `training.py ranks FOLDER TASK` trains in two processes. Both print what came out.
"""

import hashlib
import json
import os
import random
import signal
import socket
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from slth.learning import (
    Biprop,
    EdgePopup,
    Magnitude,
    PerturbedEdgePopup,
    RunFiles,
    Supermask,
    Training,
    attach,
)
from slth.learning.batches import Batches
from slth.learning.devices import fabric_for
from slth.learning.trainer import train

SHORT = Training(epochs=2.0, batch=16, lr=0.05)
METHODS = {
    "edge-popup": (EdgePopup(0.5), SHORT),
    "global": (EdgePopup(0.3, scope="global", ramp=1.0), replace(SHORT, optimizer="adam")),
    "biprop": (Biprop(0.5, binary_activations=True), replace(SHORT, optimizer="adam", schedule="multistep")),
    "supermask": (Supermask(), replace(SHORT, optimizer="adamw", lr=1.0, accumulate=2)),
    "rewound": (Magnitude(0.3, rate=0.5, rewind=2, kept_weights="reinitialise"), replace(SHORT, epochs=1.5)),
    "untrained": (Magnitude(0.3, rate=0.5, kept_weights="constant", retrain=False), replace(SHORT, momentum=0.0)),
    "held": (
        Magnitude(0.4, rate=1.0, scope="global", pruned_weights="freeze_away", criterion="random"),
        replace(SHORT, optimizer="adamw"),
    ),
    "levels": (PerturbedEdgePopup((1.0, 0.6, 0.1), 0.05, epochs_weights=1.0), replace(SHORT, epochs=1.0)),
    "perturbed": (PerturbedEdgePopup(0.5, 0.05, epochs_weights=1.5), SHORT),
}


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Flatten(),
            nn.Linear(4 * 36, 3),
        )


def images(count=44, *, size=16, crop=1):
    rng = np.random.default_rng(5)
    x = rng.integers(0, 256, (count, 1, 6, 6), dtype=np.uint8)
    return Batches(x, (x.reshape(count, -1).astype(np.int64)[:, :3]).argmax(1), (0.5,), (0.3,), size, crop)


def run(name, files=None, *, model=None, batches=None, fabric=None, training=None, asked=None, loss=None):
    """(masks, history) of a method of the list above."""
    method, settings = METHODS[name]
    masks = attach(network() if model is None else model, method, seed=11)
    batches = images() if batches is None else batches
    stages = method.stages(settings if training is None else training)
    history = train(
        masks, stages, batches, images(30, size=30, crop=0), asked={"name": name} if asked is None else asked,
        fabric=fabric, files=files, loss=loss,
    )  # fmt: skip
    return masks, history


def outcome(masks, history):
    """All bits of a run that may not depend on interruptions."""
    state = {name: value.numpy().tobytes() for name, value in masks.model.state_dict().items()}
    chosen = [tensor.mask.chosen().numpy().tobytes() for tensor in masks]
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history]
    return state, chosen, [(tensor.stream, tensor.mask.gain()) for tensor in masks], rows


def digest(masks, history):
    return hashlib.sha256(repr(outcome(masks, history)).encode()).hexdigest()


def kill(folder, count):
    """Kill -9 at `count` random moments, then run to the end."""
    checkpoint, dice = folder / "run.checkpoint", random.Random(1)
    for _ in range(count):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            run("rewound", RunFiles(checkpoint, 0.0, progress=_telling(writing)))
            os._exit(0)
        os.close(writing)
        wait, spin = dice.randrange(1, 5), dice.randrange(20_000)
        while wait and os.read(reading, 1):
            wait -= 1
        for _ in range(spin):  # somewhere between two steps, or in a write
            pass
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
    print(json.dumps([digest(*run("rewound", RunFiles(checkpoint, 0.0))), [file.name for file in folder.iterdir()]]))


def _telling(pipe):
    return lambda done, steps: os.write(pipe, b".")


def ranks(folder, task):
    """Run a task in two processes; their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(2):
        child = os.fork()
        if child == 0:
            os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "NODE_RANK": "0"}
            os.environ |= {"LOCAL_RANK": str(rank), "RANK": str(rank)}
            code = 1
            try:
                fabric = fabric_for(SHORT, devices=2)
                fabric.launch()
                TASKS[task](folder, fabric)
                code = 0
            except BaseException as error:
                (folder / f"error-{rank}").write_text(f"{type(error).__name__}: {error}")
                traceback.print_exc()
            sys.exit(code)  # as a program ends: nothing on the way out may hang
        children.append(child)
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]))


def plain_network():
    """Without what sees a whole batch or draws random numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 8, bias=False), nn.Tanh(), nn.Linear(8, 3, bias=False))


def one_step(name, fabric=None):
    """The gradients of the first step, of 13 examples: a number that two processes cannot share evenly."""
    seen = []

    def keep(masks):
        seen.extend(parameter.detach().clone() for parameter in masks.scores)

    method, _ = METHODS[name]
    masks = attach(plain_network(), method, seed=11)
    before = [parameter.detach().clone() for parameter in masks.scores]
    training = Training(epochs=1.0, batch=13, lr=1.0, momentum=0.0, weight_decay=0.0, schedule="constant")
    stages = [replace(stage, after_step=keep) for stage in method.stages(training)]
    history = train(masks, stages, images(13), None, asked={}, fabric=fabric)
    return [(old - new).numpy() for old, new in zip(before, seen, strict=True)], history[0]["loss"]


def _same(folder, fabric):
    for name in ("edge-popup", "supermask", "rewound"):
        masks, history = run(name, fabric=fabric, batches=images(45))
        (folder / f"{name}-{fabric.global_rank}").write_text(digest(masks, history))
    gradients, loss = one_step("edge-popup", fabric)
    np.savez(folder / f"gradient-{fabric.global_rank}.npz", *gradients, loss=loss)
    files = RunFiles(folder / "shared.checkpoint", 0.0)
    whole = digest(*run("perturbed", fabric=fabric))

    class Stop(Exception):
        pass

    def stop(done, _):
        if done == 7:
            raise Stop

    try:
        run("perturbed", replace(files, progress=stop), fabric=fabric)
    except Stop:
        fabric.barrier()
    resumed = digest(*run("perturbed", files, fabric=fabric))
    (folder / f"resumed-{fabric.global_rank}").write_text(str(whole == resumed))


def _die(folder, fabric):
    def die(done, _):
        if done == 2 and fabric.global_rank == 1:
            os._exit(9)

    run("edge-popup", RunFiles(progress=die), fabric=fabric)


def _nan(folder, fabric):
    """A loss that is NaN in one process only."""
    run("edge-popup", fabric=fabric, loss=lambda out, y: out.mean() * (float("nan") if fabric.global_rank else 1.0))


TASKS = {"same": _same, "die": _die, "nan": _nan}

if __name__ == "__main__":
    task, place, what = sys.argv[1:]
    torch.set_num_threads(1)
    if task == "kill":
        kill(Path(place), int(what))
    else:
        ranks(Path(place), what)
