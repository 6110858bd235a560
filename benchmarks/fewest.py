"""What `fewest` takes: bits of the file, values kept, time; and the solver alone.

    python benchmarks/fewest.py --data-dir DIR --work DIR [--epochs 10]

The solver: 24 live products u·v a problem, u in [1/2, 1), v in [-1, 1), targets uniform on ±1/2, seed 0, one thread.
The network: 784-500-10 with biases, trained on MNIST (once, kept in the work folder), at tolerances of so many gains.
Seconds are those of a processor, the compilers warm; bits count the whole file. Beside them, per weight of the target,
what a uniform quantiser with an entropy coder takes at the same error, the packing bound, and the bound for Gaussian
weights of the same variance at the same mean squared error.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from slth.records import environment
from slth.subsetsum import fewest_batch, first_batch, smallest_batch

TOLERANCES = (0.02, 0.01, 0.0025, 0.001, 1e-4)
ASKED = ((0.01, "within"), (0.01, "fewest"), (1e-3, "fewest"), (1e-4, "within"), (1e-4, "fewest"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, {json.dumps(where.versions)}\n")
    solver()
    network(options)


def solver() -> None:
    """Microseconds a problem, values kept, place in the order."""
    rng = np.random.default_rng(0)
    u, v = rng.integers(2**22, 2**23, (20_000, 24)) * 2.0**-23, rng.integers(-(2**23), 2**23, (20_000, 24)) * 2.0**-23
    values, targets = u * v, rng.uniform(-0.5, 0.5, 20_000)
    print("| τ/g | fewest µs | kept | place | rank bits | first µs | kept | smallest µs |\n" + "|---" * 8 + "|")
    for tol in TOLERANCES:
        ours, micro = timed(lambda v, z, tol=tol: fewest_batch(v, z, tol=tol), values, targets)
        some, first = timed(lambda v, z, tol=tol: first_batch(v, z, tol=tol), values, targets)
        _, smallest = timed(lambda v, z, tol=tol: smallest_batch(v, z, tol=tol), values[:2000], targets[:2000])
        place = np.array([rank(int(mask)) for mask in ours.packed])
        lower = np.maximum(np.floor(np.log2(np.maximum(place, 1))), 0).mean()
        bits = entropy([int(r).bit_length() for r in place]) + lower
        kept = [float(np.bitwise_count(found.packed).mean()) for found in (ours, some)]
        row = [f"{tol:g}", f"{micro:.2f}", f"{kept[0]:.2f}", f"{place.mean():,.0f}", f"{bits:.2f}"]
        print(f"| {' | '.join([*row, f'{first:.2f}', f'{kept[1]:.1f}', f'{smallest:.1f}'])} |")


def timed(solve, values, targets):
    """The answers, and microseconds a problem: the best of three."""
    solve(values[:10], targets[:10])
    best = math.inf
    for _ in range(3):
        start = time.process_time()
        found = solve(values, targets)
        best = min(best, time.process_time() - start)
    return found, 1e6 * best / len(values)


def rank(mask: int) -> int:
    """Place of a subset of 24 in the order."""
    kept = [i for i in range(24) if mask >> i & 1]
    return sum(math.comb(24, j) for j in range(len(kept))) + sum(math.comb(i, j) for j, i in enumerate(kept, 1))


def entropy(symbols) -> float:
    counts = np.unique(symbols, return_counts=True)[1] / len(symbols)
    return float(-(counts * np.log2(counts)).sum())


def network(options) -> None:
    """The file of a trained network."""
    target = options.work / "mnist.safetensors"
    if not target.exists():
        data = ["--data", "mnist", "--data-dir", options.data_dir]
        slth("train", *data, "--hidden", "500", "--epochs", options.epochs, "--out", target, "-q")
    weights = {name: array.astype(np.float64) for name, array in load_file(target).items()}
    size = sum(array.size for array in weights.values())
    print(f"\n784-500-10, MNIST, {options.epochs} epochs, {size:,} weights\n")
    head = "τ/g | objective | candidates | kept per weight | bits, file | MB | quantiser | packing | Gaussian | "
    head += "misses | construct s | verify s"
    print(f"| {head} |\n" + "|---" * len(head.split("|")) + "|")
    for tolerance, objective in ASKED:
        ticket = options.work / f"{objective}-{tolerance:g}.slth"
        asked = ["--relative-tolerance", tolerance, "--objective", objective, "--input-range", "0,1"]
        asked += ["--activation", "relu"]
        slth("construct", target, "--out", ticket, "--force", "-q", *asked, "--threads", 1)  # compiles
        _, seconds = slth("construct", target, "--out", ticket, "--force", "-q", *asked, "--threads", 1)
        checked, checking = slth("verify", ticket, "--target", target, "--activation", "relu", "--json", "-q")
        shown = json.loads(slth("show", ticket, "--json")[0])
        assert json.loads(checked)["holds"]
        gaussian = sum(
            array.size * max(0.5 * math.log2(array.var() / (part["tolerance"] ** 2 / 3)), 0.0)
            for part in shown["maps"]
            for name, array in weights.items()
            if name.endswith("weight") and array.size <= part["weights"] < array.size + 1000
        )
        misses = next((c["detail"] for c in json.loads(checked)["checks"] if c["name"] == "misses"), "0")
        row = [f"{tolerance:g}", objective, "/".join(str(part["candidates_per_sum"]) for part in shown["maps"])]
        row += [f"{shown['kept_per_weight']:.2f}", f"{shown['bits_per_weight']:.2f}", f"{shown['bytes'] / 1e6:.3f}"]
        row += [f"{shown[f'{name}_bits_per_weight']:.2f}" for name in ("quantiser", "packing")]
        row += [f"{gaussian / size:.2f}", misses, f"{seconds:.2f}", f"{checking:.2f}"]
        print(f"| {' | '.join(row)} |", flush=True)


def slth(*arguments) -> tuple[str, float]:
    """Run one command: stdout, and processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "slth", *map(str, arguments)], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
