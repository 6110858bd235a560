"""Sweeps of `construct`: a target, trained once for all cells that share it, becomes a ticket."""

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from slth.sweeps._locks import once
from slth.sweeps._run import threads
from slth.sweeps._verb import Option, Verb

_TRAINING = ("data", "normalize", "hidden", "bias", "epochs", "train_seed")


def _run(options: dict[str, Any], shared: Path) -> dict[str, Any]:
    """Construct; then everything that `verify` and `evaluate` say about the ticket and its target."""
    from slth import api
    from slth.data import load
    from slth.evidence import Evaluation, sizes

    target = options["target"] or _trained(options, shared)
    scale = None if options["normalize"] is None else tuple(options["normalize"])
    data = load(options["data"], train=False)
    data = data if scale is None else data.normalised(*scale)
    asked = {name: options[name] for name in ("tolerance", "epsilon", "candidates", "failure_probability", "seed")}
    ticket = api.construct(
        target, **asked, retries=options["retries"], input_range=data.input_range, normalize=scale, threads=threads()
    )
    found = cast("Evaluation", api.evaluate(ticket, options["data"], target=target))
    size = sizes(ticket)
    parts = ("accuracy", "target_accuracy", "unchanged_on_box", "unchanged_per_input")
    return {
        "misses": ticket.misses,
        **{name: None if (part := getattr(found, name)) is None else part.value for name in parts},
        "accuracy_interval": list(found.accuracy.interval),
        "changed": found.changed,
        "measured_error": found.measured_error,
        "certified_error": ticket.certificate.sup_error,
        "weight_error": max(layer.weight_error for layer in ticket.certificate.layers),
        "verified": api.verify(ticket, target=target).holds,
        "attempts": ticket.provenance.attempts,
        "candidates": list(size.candidates),
        "target_parameters": size.target_parameters,
        "source_parameters": size.source_parameters,
        "kept_parameters": size.kept_parameters,
        "mask_bits": size.mask_bits,
    }


def _trained(options: dict[str, Any], shared: Path) -> Path:
    """An MLP for the data, trained by the first cell that needs it."""
    from slth import api

    asked = {name: options[name] for name in _TRAINING}
    if Path(asked["data"]).suffix:
        asked["data"] = hashlib.sha256(Path(asked["data"]).read_bytes()).hexdigest()
    name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def make() -> bytes:
        from safetensors.numpy import save

        scale = None if options["normalize"] is None else tuple(options["normalize"])
        how = {name: options[name] for name in ("hidden", "bias", "epochs")}
        return save(api.train(options["data"], **how, seed=options["train_seed"], normalize=scale))

    return once(shared / f"{name}.safetensors", make)


CONSTRUCT = Verb(
    "construct",
    {
        "target": Option(str, file=True),  # default: an MLP trained on `data`, as the next five options say
        "data": Option(str, "digits", file=True),  # also states the input range
        "normalize": Option(list),  # [mean, std]
        "hidden": Option(list, [64]),
        "bias": Option(bool, True),
        "epochs": Option(int, 30),
        "train_seed": Option(int, 0),
        "tolerance": Option(float),
        "epsilon": Option(float),
        "candidates": Option(int),
        "failure_probability": Option(float, 0.01),
        "seed": Option(int, 0),
        "retries": Option(int, 0),
    },
    _run,
)
