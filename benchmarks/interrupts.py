"""What an interrupt costs: a construction that is stopped and resumed against one that is left alone.

    python benchmarks/interrupts.py [--width 600] [--layers 12] [--moments 5] [--threads 1]

Constructs a chain of random layers at tolerance 2⁻⁹ in fresh processes with a warm compile cache. Then it is stopped
after each of several numbers of maps, by Ctrl-C and kill -9 in turn, in the middle of the next map, and resumed. Prints
a Markdown table: maps kept, processor seconds of both processes together and beyond those of the undisturbed one, and
whether the bytes are the same; then what the files of the maps cost a construction that nobody stops.
"""

import argparse
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from slth.records import environment

RUN = """
import os, resource, signal, sys
import slth.cli.app
from slth.construction import parts

stop, sign, begin = int(sys.argv.pop(1)), int(sys.argv.pop(1)), parts.Parts.put
if stop < 0:
    parts.WORTH_KEEPING = parts.LONG = 2**62

def put(kept, key, finished):
    if int(key[:3]) == stop:
        print(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), file=sys.stderr, flush=True)
        os.kill(os.getpid(), sign)
    begin(kept, key, finished)

parts.Parts.put = put
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    slth.cli.app.run(sys.argv[1:])
except KeyboardInterrupt as said:
    print(said, file=sys.stderr)
print(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), file=sys.stderr)
"""


def run(stop: int, sign: int, command: list[str]) -> tuple[float, str]:
    """Processor seconds of one process, and what it said; it is stopped in the middle of a map, or never."""
    done = subprocess.run([sys.executable, "-c", RUN, str(stop), str(sign), *command], capture_output=True, text=True)
    return float(re.findall(r"^[0-9.]+$", done.stderr, re.MULTILINE)[-1]), done.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=600)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--moments", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    where = environment(options.threads)
    print(f"commit {where.commit}, {where.cpu}, {options.threads} thread(s), seed 0\n")
    widths = [options.width] * options.layers + [10]
    rng = np.random.default_rng(0)
    tensors = {
        f"{2 * i}.weight": (rng.normal(size=(out, inp)) / np.sqrt(inp / 2)).astype(np.float32)
        for i, (inp, out) in enumerate(itertools.pairwise(widths))
    }
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        save_file(tensors, "t.safetensors")
        command = "construct t.safetensors --input-range 0,1 --tolerance 0.001953125 --out o.slth --threads"
        command = [*command.split(), str(options.threads)]
        never = options.layers + 1
        run(never, 2, command)  # compiles
        whole, _ = run(never, 2, command)
        expected = Path("o.slth").read_bytes()
        print("| stopped by | in map | kept | processor s, both | beyond undisturbed | same bytes |\n|", end="")
        print(" --- |" * 6)
        print(f"| nothing | | | {whole:.1f} | | |")
        for i, stop in enumerate(np.linspace(0, options.layers - 1, options.moments).astype(int).tolist()):
            Path("o.slth").unlink()
            sign = (signal.SIGINT, signal.SIGKILL)[i % 2]
            first, _ = run(stop, sign, command)
            kept = len(list(Path("o.slth.part").glob("*.map"))) if Path("o.slth.part").exists() else 0
            second, _ = run(never, 2, command)
            same = Path("o.slth").read_bytes() == expected
            both = f"{first + second:.1f} | {first + second - whole:.1f}"
            print(f"| {sign.name} | {stop + 1} | {kept} of {options.layers} | {both} | {same} |")
        without, _ = run(-1, 2, command)
        print(f"\nkeeping nothing: {without:.1f} s; keeping every map: {whole:.1f} s")


if __name__ == "__main__":
    main()
