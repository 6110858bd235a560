"""Decode and verify every malformed ticket in a process with little memory and an alarm clock.

Run by `test_malformed`: `python judge.py FOLDER MEGABYTES SECONDS` prints one JSON line per case. The address space
may grow by MEGABYTES over what the imports took; a case that takes longer than SECONDS ends the process.
"""

import faulthandler
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from attacks.malformed import cases
from attacks.sealing import honest

from slth.evidence.verify import verify
from slth.ticket import decode


def outcome(verb: Callable[[], object]) -> str:
    """Name and sentence of what was raised, or "accepted"."""
    try:
        verb()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "accepted"


def judge(data: bytes, path: Path) -> dict[str, str]:
    """What each way to read a file makes of it."""
    path.write_bytes(data)
    held: list[bool] = []
    verdict = outcome(lambda: held.append(verify(path).holds))
    return {"decode": outcome(lambda: decode(data)), "verify": f"holds: {held[0]}" if held else verdict}


def main(folder: Path, megabytes: int, seconds: int) -> None:
    faulthandler.enable()
    path = folder / "case.slth"
    control = judge(honest(), path)  # loads what is loaded on first use
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    limit = pages * resource.getpagesize() + megabytes * (1 << 20)
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    report = [{"case": "honest", "seconds": 0.0, "bytes": 0, **control}]
    for name, make in cases().items():
        data = make()
        faulthandler.dump_traceback_later(seconds, exit=True)
        start = time.perf_counter()
        found = judge(data, path)
        report.append({"case": name, "seconds": time.perf_counter() - start, "bytes": len(data), **found})
        faulthandler.cancel_dump_traceback_later()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("\n".join(json.dumps(line) for line in [*report, {"case": "end", "seconds": 0.0, "peak": peak}]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
