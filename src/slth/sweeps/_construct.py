"""Sweeps of `construct`: a target, trained once for all cells that share it, becomes a ticket."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from slth.records import verbs
from slth.sweeps._cells import threads
from slth.sweeps._locks import once
from slth.sweeps._verb import Verb, options_of

# The default target is an MLP trained on `data`, which states the input range, too.
_TRAIN = options_of(verbs.Train)
_TRAIN["epochs"] = replace(_TRAIN["epochs"], default=verbs.DEFAULT_TARGET["epochs"])
_SEED = "train_seed"  # `seed` names the random network
_CONSTRUCT = options_of(verbs.Construct)


def _run(options: dict[str, Any], shared: Path, kept: Path | None = None) -> dict[str, Any]:
    """Construct; then everything that `verify` and `evaluate` say about the ticket and its target."""
    from slth import api
    from slth.evidence import sizes

    target = options["target"] or _trained(options, shared)
    data, asked = options["data"], {name: options[name] for name in _CONSTRUCT if name != "target"}
    stated = {"data": data} if options["input_range"] is None and options["raw_range"] is None else {}
    ticket = api.construct(target, **asked, **stated, threads=threads())
    if kept is not None:
        api.save(ticket, kept, threads=threads())
    found = api.evaluate(ticket, data, target=target)
    size = sizes(ticket)
    parts = ("accuracy", "target_accuracy", "unchanged_on_box", "unchanged_per_input")
    return {
        "misses": ticket.misses,
        **{name: None if (part := getattr(found, name)) is None else part.value for name in parts},
        "accuracy_interval": None if found.accuracy is None else list(found.accuracy.interval),
        "error": None if found.errors is None else found.errors.rms,
        "target_error": None if found.target_errors is None else found.target_errors.rms,
        "changed": found.changed,
        "measured_error": found.measured_error,
        "certified_error": None if ticket.claims is None else ticket.claims.sup_error,
        "weight_error": None if ticket.claims is None else ticket.claims.weight_error,
        "verified": api.verify(ticket, target=target, threads=threads()).holds,
        "attempts": ticket.provenance.attempts,
        "candidates": list(size.candidates),
        "target_parameters": size.target_parameters,
        "source_parameters": size.source_parameters,
        "kept_parameters": size.kept_parameters,
        "mask_bits": size.mask_bits,
    }


def _check(options: dict[str, Any]) -> None:
    """Numbers out of their limits, names that are none, promises and choices that exclude each other."""
    from slth import api

    said: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    asked = {name: said[name] for name in _CONSTRUCT if name != "target"}
    api.check_construct(verbs.Construct(**asked))
    how: dict[str, Any] = {name: said[_SEED if name == "seed" else name] for name in _TRAIN}
    verbs.Train(out=Path("target.safetensors"), **how)


def _trained(options: dict[str, Any], shared: Path) -> Path:
    """An MLP for the data, trained by the first cell that needs it."""
    from slth import api

    how = {name: options[_SEED if name == "seed" else name] for name in _TRAIN}
    asked = dict(how)
    if Path(asked["data"]).suffix:
        asked["data"] = hashlib.sha256(Path(asked["data"]).read_bytes()).hexdigest()
    name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def make() -> bytes:
        from safetensors.numpy import save

        return save(api.train(**how))

    return once(shared / f"{name}.safetensors", make)


CONSTRUCT = Verb(
    "construct",
    {**{_SEED if name == "seed" else name: option for name, option in _TRAIN.items()}, **_CONSTRUCT},
    _run,
    keep=_run,
    check=_check,
)
