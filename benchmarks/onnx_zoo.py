"""The zoo of the tests through PyTorch's exporters and back: what is written, read, and one network with the module.

    PYTHONPATH=tests:src python benchmarks/onnx_zoo.py [dynamo "dynamo, kept" script "script, kept"]

For every network of `tests/references/zoo.py` and every way to export it ("kept": nothing folded): outputs of what is
read, in float64, against onnxruntime on the file, and against the module in float64, both relative to the largest
output; whether file and module have one digest, or the same graph with other numbers, or another graph.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from helpers.exporters import EXPORTERS, export
from helpers.onnx_models import run
from onnx.reference import ReferenceEvaluator
from references.zoo import ZOO

from slth import InputError
from slth.graph import evaluate
from slth.network import read_target
from slth.records import environment
from slth.ticket import as_in, network_digest, with_biases


def computed(path: Path, x: np.ndarray) -> np.ndarray:
    """The outputs of a file by onnxruntime; by the reference of onnx where it fails, as on a dilated convolution."""
    made = onnx.load(path)
    try:
        return run(made, x)[0]
    except Exception:  # onnxruntime raises types of its own
        return ReferenceEvaluator(made).run(None, {made.graph.input[0].name: x})[0]


def kind(target, own, shape) -> str:
    """One digest, the same graph with other numbers, or another graph."""
    digest = network_digest(own, shape)
    target = with_biases(target, own.graph, digest=digest, shape=shape)
    if network_digest(target, shape) == digest:
        return "one digest"
    return "another graph" if isinstance(as_in(target, own.graph), str) else "other numbers"


def main() -> None:
    where = environment(1)
    torch.set_num_threads(1)
    print(f"commit {where.commit}, {where.cpu}, 1 thread, torch {torch.__version__}, onnx {onnx.__version__}\n")
    print(
        "| exporter | written | read | largest difference from onnxruntime, from the module | one digest "
        "| other numbers | another graph | reading, median |"
    )
    print("|" + " --- |" * 8)
    with tempfile.TemporaryDirectory() as folder:
        for how in sys.argv[1:] or EXPORTERS:
            found, refused, written = [], [], 0
            for name in ZOO:
                path = Path(folder) / "net.onnx"
                model, shape = ZOO[name]()
                try:
                    export(model, shape, how, path)
                except Exception:  # whatever an exporter raises
                    continue
                written += 1
                start = time.process_time()
                try:
                    target = read_target(path)
                except InputError as error:
                    refused.append(f"{name}: {error}")
                    continue
                seconds = time.process_time() - start
                x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
                y = evaluate(target.graph, target.coefficients, x, target.carried)
                with torch.no_grad():
                    module = model.double()(torch.from_numpy(x).double()).numpy()
                theirs = computed(path, x)
                far = [float(abs(y - other).max() / abs(other).max()) for other in (theirs, module)]
                own = read_target(model.float(), input_shape=shape)
                found.append((*far, kind(target, own, shape), seconds))
            kinds = [row[2] for row in found]
            counts = [str(kinds.count(one)) for one in ("one digest", "other numbers", "another graph")]
            far = ", ".join(f"{max(row[i] for row in found):.1e}" for i in (0, 1))
            median = statistics.median(row[3] for row in found)
            print(
                "|",
                " | ".join([how, f"{written} of {len(ZOO)}", str(len(found)), far, *counts, f"{median:.2f} s"]),
                "|",
                flush=True,
            )
            for sentence in refused:
                print(f"refused: {sentence}", flush=True)


if __name__ == "__main__":
    main()
