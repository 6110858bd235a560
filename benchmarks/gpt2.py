"""A network of GPT-2-small's shape as a ticket: time and memory of the commands, from folder to checked file.

    python benchmarks/gpt2.py [--layers 12] [--relative-tolerance 0.01] [--threads 2]

12 blocks of width 768 with 12 heads, 50,257 tokens, a head that is tied to the table of tokens: 124.4 million
parameters. Weights are random, as the library draws them before training, N(0, 0.02²); sequences of 16 tokens. Each
command runs in a process of its own, with a warm compile cache: seconds by the clock, of processor, peak memory.
"""

import argparse
import tempfile
from pathlib import Path

from scale import command
from transformers import GPT2Config, GPT2LMHeadModel

import slth
from slth.records import environment


def write(folder: Path, layers: int) -> int:
    """The folder of a model with random weights; its parameters."""
    import torch

    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(n_layer=layers))
    model.save_pretrained(folder)
    return sum(part.numel() for part in model.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--relative-tolerance", default="0.01")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    where = environment(options.threads)
    print(f"commit {where.commit}, {where.cpu}, {options.threads} threads, {where.versions}\n")
    with tempfile.TemporaryDirectory() as place:
        folder, ticket = Path(place) / "gpt2", Path(place) / "gpt2.slth"
        parameters = write(folder, options.layers)
        threads = ["--threads", str(options.threads)]
        asked = ["--relative-tolerance", options.relative_tolerance, *threads]
        print("| command | s | processor s | GiB |")
        print("| --- | --- | --- | --- |")
        for name, arguments in {
            "construct": ["construct", str(folder), "--input-shape", "16", *asked, "--out", str(ticket), "-q"],
            "verify": ["verify", str(ticket), *threads, "-q"],
            "verify --target": ["verify", str(ticket), "--target", str(folder), *threads, "-q"],
        }.items():
            seconds, processor, memory = command(arguments)
            print(f"| {name} | {seconds:.0f} | {processor:.0f} | {memory:.2f} |", flush=True)
        size = ticket.stat().st_size
        found = slth.load(ticket)
        print(f"\n{parameters:,} parameters, {len(found.maps)} maps, {found.target_parameters:,} in maps; ", end="")
        print(f"{found.misses} misses; {size / 1e6:.0f} MB, {8 * size / parameters:.1f} bits a parameter")


if __name__ == "__main__":
    main()
