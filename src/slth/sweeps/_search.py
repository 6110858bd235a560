"""Sweeps of `search`: masks learned in random networks. One projected run serves all densities of its ε and seed."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from slth.sweeps._locks import once
from slth.sweeps._verb import Option, Verb

_TRAINING = ("epochs", "batch", "optimizer", "lr", "momentum", "weight_decay", "schedule", "warmup", "precision")
_POLICY = ("law", "gain", "scaled", "biases", "norms", "first", "last")
_ARCHITECTURE = ("width", "hidden")


def _run(options: dict[str, Any], shared: Path) -> dict[str, Any]:
    """Search; the outcome is what the ticket reaches on the test data, after how much training."""
    import torch

    from slth.learning import METHODS, RunFiles
    from slth.learning.ask import method_of, search
    from slth.sweeps._run import threads

    torch.set_num_threads(threads())
    given = {name: value for name, value in options.items() if value is not None}
    known = {field.name for method in METHODS.values() for field in fields(method)}
    settings = {name: value for name, value in given.items() if name in known}
    _, method = method_of(options["method"], settings)

    found = search(
        options["model"],
        options["data"],
        method,
        arguments={name: given[name] for name in _ARCHITECTURE if name in given},
        seed=options["seed"],
        training=replace(method.training, **{name: given[name] for name in _TRAINING if name in given}),
        policy=replace(method.policy, **{name: given[name] for name in _POLICY if name in given}),
        augment=options["augment"],
        controls=options["controls"],
        files=RunFiles(share=lambda name, make: once(shared / name, make)),
    )
    return found.outcome()


SEARCH = Verb(
    "search",
    {
        "data": Option(str, "digits", file=True),
        "model": Option(str),
        "method": Option(str, "edge-popup"),
        "seed": Option(int, 0),
        "augment": Option(bool),
        "controls": Option(bool, False),
        # of the architecture
        "width": Option(float),
        "hidden": Option(list),
        # of the method
        "density": Option(float),
        "epsilon": Option(float),
        "scope": Option(str),
        "rate": Option(float),
        "last_rate": Option(float),
        "rewind": Option(int),
        "criterion": Option(str),
        "kept_weights": Option(str),
        "pruned_weights": Option(str),
        "retrain": Option(bool),
        "rescale": Option(bool),
        "initial": Option(float),
        "binary_activations": Option(bool),
        "epochs_weights": Option(float),
        "lr_weights": Option(float),
        # of the training
        "epochs": Option(float),
        "batch": Option(int),
        "optimizer": Option(str),
        "lr": Option(float),
        "momentum": Option(float),
        "weight_decay": Option(float),
        "schedule": Option(str),
        "warmup": Option(float),
        "precision": Option(str),
        # of the policy
        "law": Option(str),
        "gain": Option(float),
        "scaled": Option(bool),
        "biases": Option(str),
        "norms": Option(str),
        "first": Option(float),
        "last": Option(float),
    },
    _run,
)
