"""Construct, verify and evaluate tickets of real networks, each command in a fresh process with a warm compile cache.

    python benchmarks/construct.py --data-dir DIR --work DIR [--repeats 3]

Trains 784-500-10 without biases on MNIST, 784-256-64-10 and 784-256-128-64-32-10 with biases on standardised
Fashion-MNIST (once, kept in the work folder), asks for tolerances 0.01 and 1e-4 per weight and for an error of the
whole network of at most 0.1, and prints a Markdown table: medians of the repeats, peak memory, and the machine.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from slth.records import environment

FASHION = ["--mean", "0.286041", "--std", "0.353024"]  # of the training images
TARGETS = {
    "mnist": ("mnist", ["--hidden", "500", "--no-bias"], []),
    "fashion-3": ("fashion_mnist", ["--hidden", "256,64", *FASHION], FASHION),
    "fashion-5": ("fashion_mnist", ["--hidden", "256,128,64,32", *FASHION], FASHION),
}
ASKED = (("--tolerance", "0.01"), ("--tolerance", "1e-4"), ("--epsilon", "0.1"))


def slth(*arguments: object) -> tuple[str, str, float, float]:
    """Run one command: stdout, stderr, seconds, peak MB of the child."""
    start = time.perf_counter()
    code = (
        "import resource, sys; from slth.cli.app import run; code = run(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return done.stdout, done.stderr, seconds, int(done.stderr.split()[-1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    where = environment(2)
    print(f"commit {where.commit}, {where.cpu}, {json.dumps(where.versions)}, median of {options.repeats}\n")
    heads = "network | asked | threads | command s | solving s | peak MB | misses | accuracy | target | changed | "
    heads += "certified | measured | proved on box | per input | verify s | bits/weight | source/target | kept/target"
    print("|", heads, "|\n|", " | ".join("---" for _ in heads.split("|")), "|")
    for name, (data, train, read) in TARGETS.items():
        target = options.work / f"{name}.safetensors"
        if not target.exists():
            slth("train", "--data", data, "--data-dir", options.data_dir, *train, "--out", target)
        for asked in ASKED:
            for threads in (1, 2):
                row(name, data, target, asked, threads, read, options)


def row(name, data, target, asked, threads, read, options) -> None:
    ticket = options.work / f"{name}.slth"
    common = ["--data", data, "--data-dir", options.data_dir, *read]
    made = ["construct", target, "--out", ticket, *asked, "--threads", threads, "-v", *common]
    slth(*made)  # warms the compile cache
    runs = [slth(*made) for _ in range(options.repeats)]
    solving = [float(re.search(r"problems in ([\d.]+) s", err).group(1)) for _, err, _, _ in runs]
    checks = [slth("verify", ticket, "--target", target) for _ in range(options.repeats)]
    assert all("FAILS" not in out for out, *_ in checks)
    evaluated = json.loads(slth("evaluate", ticket, "--target", target, "--json", *common)[0])["outcome"]
    misses = re.search(r"misses\s+(\S+)", runs[0][0]).group(1)
    size = evaluated["sizes"]
    cells = [
        name,
        " ".join(asked).lstrip("-"),
        threads,
        f"{statistics.median(run[2] for run in runs):.2f}",
        f"{statistics.median(solving):.2f}",
        f"{max(run[3] for run in runs):.0f}",
        misses,
        f"{evaluated['accuracy']['value']:.2%}",
        f"{evaluated['target_accuracy']['value']:.2%}",
        evaluated["changed"],
        f"{evaluated['certified_error']:.4g}",
        f"{evaluated['measured_error']:.4g}",
        f"{evaluated['unchanged_on_box']['value']:.2%}",
        f"{evaluated['unchanged_per_input']['value']:.2%}",
        f"{statistics.median(run[2] for run in checks):.2f}",
        f"{size['bits_per_weight']:.1f}",
        f"{size['source_parameters'] / size['target_parameters']:.0f}",
        f"{size['kept_parameters'] / size['target_parameters']:.2f}",
    ]
    print("|", " | ".join(map(str, cells)), "|", flush=True)


if __name__ == "__main__":
    main()
