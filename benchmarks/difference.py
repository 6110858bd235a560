"""Target minus ticket of LeNet-5 as an ONNX file: what onnxruntime finds of it, beside float64, below the bound.

    python benchmarks/difference.py --data-dir DIR [--data mnist] [--epochs 3] [--tolerances 1e-4 1e-2]

Trains LeNet-5 (Adam, batch 128, 1e-3, cosine), constructs a ticket on inputs in [0, 1], writes f − f̂ with
`slth.export(..., difference=True)`, and evaluates the file in onnxruntime: on test images, random inputs of the box,
its corners, and where ascent along the sign of the float64 gradient leads from the worst of these. Beside it f and f̂ by
`slth.graph.evaluate`, from their exact coefficients in float64.
"""

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
import torch
from convolutional import trained

import slth
from slth.data import load
from slth.graph import Box, Target, evaluate
from slth.network import build_architecture, read_target, target_module
from slth.network.build import Network
from slth.network.maps import RealisedMap
from slth.records import environment
from slth.ticket import Ticket

STEPS = 100


def inputs(box: Box, images: np.ndarray, count: int) -> np.ndarray:
    """Images, random inputs and corners, float32."""
    rng = np.random.default_rng(0)
    low, high = (np.broadcast_to(end, box.shape) for end in (box.lower, box.upper))
    random = low + (high - low) * rng.random((count, *box.shape))
    corners = np.where(rng.random((count, *box.shape)) < 0.5, low, high)
    return np.concatenate([images[:count], random, corners]).astype(np.float32)


def climbed(target: Target, ticket: Ticket, x: np.ndarray) -> np.ndarray:
    """Where ascent on the largest output of f − f̂ leads, each step clipped to the box."""
    maps = {path: RealisedMap(op.basis, ticket.realised(path), torch.float64) for path, op in ticket.maps.items()}
    pair = target_module(target, torch.float64), Network(ticket.network, maps, ticket.carried, torch.float64)
    box = ticket.inputs.box
    low, high = (torch.from_numpy(np.broadcast_to(end, box.shape).copy()) for end in (box.lower, box.upper))
    at = torch.from_numpy(x.astype(np.float64))
    for step in range(STEPS):
        at = at.detach().requires_grad_()
        (slope,) = torch.autograd.grad((pair[0](at) - pair[1](at)).abs().amax(1).sum(), at)
        at = torch.clamp(at.detach() + 0.2 * (1 - step / STEPS) * (high - low) * slope.sign(), low, high)
    return at.detach().numpy().astype(np.float32)


def in_float64(target: Target, ticket: Ticket, x: np.ndarray) -> np.ndarray:
    """f − f̂ from exact coefficients."""
    parts = {path: ticket.realised(path) for path in ticket.maps}
    blocks = [part.astype(np.float64) for part in np.array_split(x, max(1, len(x) // 250))]
    return np.concatenate(
        [
            evaluate(target.graph, target.coefficients, part, target.carried)
            - evaluate(ticket.network, parts, part, ticket.carried)
            for part in blocks
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--tolerances", type=float, nargs="*", default=[1e-4, 1e-2])
    parser.add_argument("--count", type=int, default=1000, help="images, random inputs, and corners, each")
    options = parser.parse_args()
    where = environment(torch.get_num_threads())
    versions = {**where.versions, "onnxruntime": onnxruntime.__version__}
    print(f"commit {where.commit}, {where.cpu}, {where.threads} threads, {json.dumps(versions)}")
    data = load(options.data, data_dir=options.data_dir)
    model = build_architecture("lenet_5", {"inputs": list(data.shape), "classes": data.classes})
    model = trained(model, data.train_x.astype(np.float32) / 255, data.train_y, epochs=options.epochs, lr=1e-3)
    target = read_target(model, input_shape=data.shape)
    print(f"lenet_5 on {options.data}, {options.epochs} epochs\n")
    names = "tolerance", "bound", "onnxruntime", "float64", "disagreement", "largest output", "file", "seconds"
    print(f"| {' | '.join(names)} |\n|{' --- |' * len(names)}")
    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = 1
    for tolerance in options.tolerances:
        ticket = slth.construct(target, input_range=(0, 1), tolerance=tolerance, threads=1)
        with TemporaryDirectory() as folder:
            out, spent = Path(folder) / "difference.onnx", time.process_time()
            slth.export(ticket, out, difference=True, target=target)
            spent = time.process_time() - spent
            session = onnxruntime.InferenceSession(str(out), session_options)
            size = out.stat().st_size
        x = inputs(ticket.inputs.box, data.test_x.astype(np.float32) / 255, options.count)
        exact = in_float64(target, ticket, x)
        top = climbed(target, ticket, x[np.abs(exact).max(1).argsort()[-40:]])
        x, exact = np.concatenate([x, top]), np.concatenate([exact, in_float64(target, ticket, top)])
        (y,) = session.run(["output"], {"input": x})
        with torch.no_grad():
            largest = float(model(torch.from_numpy(x)).abs().max())
        bound, apart = ticket.claims.sup_error, float(np.abs(y - exact).max())
        row = f"{np.abs(y).max():.6g} | {np.abs(exact).max():.6g} | {apart:.2g} | {largest:.3g}"
        print(f"| {tolerance:g} | {bound:.4g} | {row} | {size:,} bytes | {spent:.1f} |", flush=True)
        assert np.abs(exact).max() <= bound


if __name__ == "__main__":
    main()
