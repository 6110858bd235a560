"""PyTorch's exporters to ONNX, with what they fold and without."""

import contextlib
import io
import logging
import warnings

import torch

ANY = ({0: torch.export.Dim.DYNAMIC},)
DYNAMO = {"dynamo": True, "dynamic_shapes": ANY, "external_data": False, "verbose": False}
SCRIPT = {"dynamo": False, "dynamic_axes": {"input": {0: "batch"}}, "input_names": ["input"]}
EXPORTERS = {
    "dynamo": DYNAMO,
    "dynamo, kept": {**DYNAMO, "optimize": False},
    "script": SCRIPT,
    "script, kept": {**SCRIPT, "training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False},
}


def export(model, shape, how, path):
    """Write a module for a batch of any size, without the exporter's chatter; raises what the exporter raises."""
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    nowhere = io.StringIO()
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            torch.onnx.export(model.eval().float(), (x,), path, **EXPORTERS[how])
    finally:
        logging.disable(logging.NOTSET)
