"""Does a construction fit into memory? Asked before anything is solved; a refusal says what fits.

What it needs beyond what is held already, its target among it, follows from `costs`; what there is, from the system:
what it can give away, what the control group of the process may still take, what its address space may still grow by.
Where none of them is known, nothing is refused."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from slth._errors import InputError
from slth.construction.costs import Planning, growth, map_bytes
from slth.construction.makers import MAKERS
from slth.construction.width import Width, affine_sizes, plan_sizes
from slth.graph import Target
from slth.ticket import Gadget, signed_ranges, split_count

_FINEST = 36  # bits of a relative tolerance that are tried


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that this process may still take; None where the system does not say."""
    known = [_free(root), _group(root), _address_space(root)]
    found = [size for size in known if size is not None]
    return max(min(found), 0) if found else None


def check_memory(maps: Sequence[Planning], target: Target, *, threads: int, failure: float, free: bool = True) -> None:
    """Refuse a construction that memory does not hold.

    Args:
        failure: expected misses allowed to the network, for what fits.
        free: whether the width can be chosen.

    Raises:
        InputError: one sentence: what it needs, what there is, what fits.
    """
    available, needed = available_memory(), growth(maps, threads=threads)
    if available is None or needed <= available:
        return
    said = f"this construction needs about {_size(needed)} of memory, of which {_size(available)} are available; "
    if threads > 1 and growth(maps, threads=1) <= available:
        raise InputError(f"{said}with fewer threads it would fit: give --threads 1")
    if not free:
        raise InputError(f"{said}its source fixes the random network: ask for it on a larger machine")
    fewer = max(part.gadget.candidates for part in maps)
    while fewer and growth([_narrowed(part, fewer) for part in maps], threads=threads) > available:
        fewer -= 1
    if fewer:
        raise InputError(f"{said}{_what_fits(maps, target, fewer, failure)}")
    largest = max(maps, key=map_bytes)
    narrow = _narrowed(largest, 1)
    room = max(available - (growth([narrow], threads=threads) - map_bytes(narrow)), 0)
    fits = int(room / map_bytes(narrow) * largest.op.weights)
    single = f"a single map of about {fits:,} weights would" if fits else "nor would any map"
    raise InputError(
        f"{said}no number of candidates fits, {single}; the largest, {largest.path}, has {largest.op.weights:,} weights"
    )


def _what_fits(maps: Sequence[Planning], target: Target, candidates: int, failure: float) -> str:
    """So many candidates, and the tolerance in gains for which they are enough."""
    halves = [part.gadget.signed(part.op) & (split_count(part.gadget, part.op) > 0) for part in maps]
    sizes = [affine_sizes(target.coefficients[part.path], mask) for part, mask in zip(maps, halves, strict=True)]

    def misses(bits: int) -> float:
        return sum(
            plan_sizes(
                weights,
                bias,
                part.gadget.gain * 2.0**-bits,
                failure=failure,
                candidates=candidates,
                source=part.recipe.source,
            ).expected_misses
            for part, (weights, bias) in zip(maps, sizes, strict=True)
        )

    coarse, fine = 0, _FINEST  # a whole gain prunes everything
    while fine - coarse > 1:
        middle = (coarse + fine) // 2
        coarse, fine = (middle, fine) if misses(middle) <= failure else (coarse, middle)
    enough = (
        f"which is enough for a relative tolerance of 2^-{coarse}"
        if coarse
        else "too few for any tolerance at this failure probability"
    )
    return f"{candidates} candidate{'s' if candidates > 1 else ''} would fit, {enough}"


def _narrowed(part: Planning, candidates: int) -> Planning:
    width = part.width.at_most(candidates)
    return replace(part, width=width, gadget=_gadget(part, width))


def _gadget(part: Planning, width: Width) -> Gadget:
    signed = signed_ranges(part.gadget.signed(part.op))
    return MAKERS[part.gadget.kind].gadget(part.op, width, signed, recipe=part.recipe)


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**28 else f"{count / 2**20:.0f} MiB"


def _free(root: Path) -> int | None:
    """What the system can give away without swapping."""
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    return None


def _group(root: Path) -> int | None:
    """What the control groups of this process may still take, of either version; files in their caches give way."""
    found: list[int] = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory") and "memory" not in controllers.split(","):
            continue
        mount, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        if controllers:
            mount, names = mount / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        inner = mount / path.lstrip("/")
        for folder in (inner, *inner.parents):
            limit, used = (_read(folder / name).strip() for name in names[:2])
            if limit.isdigit() and used.isdigit():
                cached = [
                    row.split()[1] for row in _read(folder / "memory.stat").splitlines() if row.split()[0] == names[2]
                ]
                found.append(int(limit) - int(used) + sum(map(int, cached)))
            if folder == mount:
                break
    return min(found, default=None)


def _address_space(root: Path) -> int | None:
    """What `ulimit -v` leaves."""
    try:
        import resource
    except ImportError:  # no POSIX system
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _read(root / "proc/self/statm").split()
    if limit == resource.RLIM_INFINITY or not pages:
        return None
    return limit - int(pages[0]) * resource.getpagesize()


def _read(path: Path) -> str:
    """Empty where there is no such file."""
    try:
        return path.read_text()
    except OSError:
        return ""
