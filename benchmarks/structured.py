r"""Whole neurons removed: what that does to the time of an example. python benchmarks/structured.py [--large]

A layer of 64 inputs and 64 outputs (Gaussian weights, biases, inputs from 0 to 1), made of whole neurons for groups of
s = 1, 2, 3 outputs, and of single edges (`two-layer`), at the same tolerance of so many gains. Networks that compute
the layer from the same source, one thread, float32, a batch of 256:

- *masked*: a source with its pruned weights as zeros, each neuron that serves a slot; that of `two-layer` is smaller,
  for there a neuron serves all outputs;
- the same with 90, 95 and 99 % of the mixing weights pruned at random, as a sparse matrix (CSR, PyTorch and SciPy);
  as a masked dense matrix it takes what *masked* takes;
- *neurons removed*: the smaller pair of dense layers that `slth export --view source` writes; and *grouped*, where the
  mixing layer is multiplied block by block (blocks filled up with zeros to the largest);
- *realised*: the layer of 64 x 64 itself.

--large: what a network of 784-500-10 takes, constructed only.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

import slth
from slth.records import environment
from slth.ticket import Ticket

BATCH, SECONDS = 256, 0.4
PRUNED = (0.9, 0.95, 0.99)


def target(*widths: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    found = {}
    for i in range(len(widths) - 1):
        inputs, outputs = widths[i], widths[i + 1]
        found[f"{2 * i}.weight"] = (rng.normal(size=(outputs, inputs)) * np.sqrt(2 / inputs)).astype(np.float32)
        found[f"{2 * i}.bias"] = (0.1 * rng.normal(size=outputs)).astype(np.float32)
    return found


def seconds_of(run: Callable[[], object]) -> float:
    """Processor time of an example of the batch."""
    run()
    times, start = 0, time.process_time()
    while time.process_time() - start < SECONDS:
        run()
        times += 1
    return (time.process_time() - start) / times / BATCH


def pair_of(ticket: Ticket, path: str) -> nn.Sequential:
    """The two dense layers of the exported source view."""
    tensors = slth.export(ticket, path, view="source")
    lift, mixing = torch.from_numpy(tensors["0.lift.weight"]), torch.from_numpy(tensors["0.mixing.weight"])
    first = nn.Linear(*reversed(lift.shape))
    second = nn.Linear(*reversed(mixing.shape), bias=False)
    first.weight.data, second.weight.data = lift, mixing
    first.bias.data = torch.from_numpy(tensors["0.lift.bias"])
    return nn.Sequential(first, nn.ReLU(), second)


def grouped(pair: nn.Sequential, size: int) -> Callable[[Tensor], Tensor]:
    """The same, block by block: hidden neurons of a group of outputs stand together."""
    lift, bias, mixing = pair[0].weight, pair[0].bias, pair[2].weight
    group = (mixing != 0).float().argmax(dim=0) // size
    count = int(group.max()) + 1
    members = [torch.nonzero(group == q).flatten() for q in range(count)]
    most = max(map(len, members))
    inputs, weight = lift.abs().argmax(dim=1), lift.gather(1, lift.abs().argmax(dim=1)[:, None])[:, 0]
    index, u, b = torch.zeros(count, most, dtype=torch.int64), torch.zeros(count, most), torch.zeros(count, most)
    blocks = torch.zeros(count, most, size)
    for q, own in enumerate(members):
        index[q, : len(own)], u[q, : len(own)], b[q, : len(own)] = inputs[own], weight[own], bias[own]
        rows = mixing[q * size : (q + 1) * size, own]
        blocks[q, : len(own), : len(rows)] = rows.T

    def run(x: Tensor) -> Tensor:
        lifted = torch.relu(x.T[index] * u[:, :, None] + b[:, :, None])  # (group, neuron, example)
        return torch.bmm(blocks.transpose(1, 2), lifted).reshape(-1, x.shape[0])[: mixing.shape[0]].T

    return run


def rows(relative: float) -> None:
    net, x = target(64, 64), torch.rand(BATCH, 64, generator=torch.Generator().manual_seed(0))
    exact = torch.nn.functional.linear(x, torch.from_numpy(net["0.weight"]), torch.from_numpy(net["0.bias"]))
    row(
        "realised, 64 x 64",
        "",
        "",
        seconds_of(lambda: torch.nn.functional.linear(x, *map(torch.from_numpy, net.values()))),
    )
    options = {"activation": "relu", "input_range": (0, 1), "relative_tolerance": relative}
    edges = slth.construct(net, **options)
    live = edges.gadgets["layers/0"].cost(edges.maps["layers/0"]).live
    share = edges.candidates_kept / edges.mask_bits
    row(f"ticket of two-layer, {share:.2f} kept, masked", live, "", seconds_of(partial(slth.source(edges), x)))
    source_rows("its source", live, x)
    for size in (1, 2, 3):
        ticket = slth.construct(net, gadget="neurons", group_size=size, **options)
        live, kept = ticket.mask_bits, ticket.candidates_kept
        pair = pair_of(ticket, "/tmp/structured.safetensors")
        blocks = grouped(pair, size)
        bound = float(ticket.claims.sup_error)
        for run in (pair, blocks):
            assert float((run(x) - exact).abs().max()) <= bound
        if size == 2:
            source_rows("source of s = 2", live, x)
        row(f"neurons, s = {size}: removed", kept, f"{1 - kept / live:.3f}", seconds_of(partial(pair, x)))
        row(f"neurons, s = {size}: removed, grouped", kept, f"{1 - kept / live:.3f}", seconds_of(partial(blocks, x)))


def source_rows(name: str, live: int, x: Tensor) -> None:
    """A source of so many neurons before anything is removed, and pruned weight by weight."""
    generator = torch.Generator().manual_seed(1)
    inputs, u = torch.randint(0, 64, (live,), generator=generator), torch.rand(live, generator=generator)
    mixing = torch.rand(64, live, generator=generator) * 2 - 1

    def lifted() -> Tensor:
        return torch.relu(x[:, inputs] * u)

    def standing() -> Tensor:
        return torch.relu(x.T[inputs] * u[:, None])

    hidden, spent = standing().numpy(), seconds_of(standing)
    row(f"{name}, masked", live, "", seconds_of(lambda: lifted() @ mixing.T))
    for pruned in PRUNED:
        kept = mixing * (torch.rand(mixing.shape, generator=generator) >= pruned)
        sparse_torch, sparse_scipy = kept.to_sparse_csr(), sparse.csr_array(kept.numpy())
        row(
            f"{name}, {pruned:.0%} pruned, torch CSR",
            live,
            "",
            spent + seconds_of(partial(multiply, sparse_torch, hidden)),
        )
        row(
            f"{name}, {pruned:.0%} pruned, SciPy CSR",
            live,
            "",
            spent + seconds_of(partial(multiply, sparse_scipy, hidden)),
        )


def multiply(matrix: Any, hidden: np.ndarray) -> object:
    return matrix @ (torch.from_numpy(hidden) if isinstance(matrix, Tensor) else hidden)


def row(name: str, neurons: object, removed: str, seconds: float) -> None:
    shown = f"{neurons:,}" if isinstance(neurons, int) else ""
    print(f"| {name} | {shown} | {removed} | {seconds * 1e6:.3g} |", flush=True)


def large(relative: float) -> None:
    net = target(784, 500, 10)
    for size in (2, 3):
        start = time.process_time()
        ticket = slth.construct(
            net, gadget="neurons", group_size=size, activation="relu", input_range=(0, 1), relative_tolerance=relative
        )
        spent = time.process_time() - start
        slth.save(ticket, "/tmp/structured.slth")
        start = time.process_time()
        holds = slth.verify("/tmp/structured.slth", target=net, activation="relu").holds
        counts = [gadget.candidates for gadget in ticket.gadgets.values()]
        print(
            f"| {size} | {counts} | {ticket.candidates_kept:,} of {ticket.mask_bits:,} | {ticket.misses} "
            f"| {ticket.mask_bits / ticket.target_parameters:.1f} | {spent:.1f} | {time.process_time() - start:.1f} "
            f"| {holds} |",
            flush=True,
        )


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relative", type=float, default=0.05, help="tolerance in gains")
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Sparse CSR")
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, 1 thread, {options.relative:g} gains\n")
    if options.large:
        print("| s | candidates | neurons kept | misses | bits a weight | construct s | verify s | holds |")
        print("|" + " --- |" * 8)
        large(options.relative)
        return
    print("| network | hidden neurons | removed | microseconds an example |\n|" + " --- |" * 4)
    rows(options.relative)


if __name__ == "__main__":
    main()
