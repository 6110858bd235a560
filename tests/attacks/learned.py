"""Malformed learned tickets by name; all sealed: only validation stands between them and the user."""

import json
from collections.abc import Callable, Iterator

from attacks.sealing import changed, sealed, text_of
from helpers.learned import any_learned

from slth.ticket import encode

Case = tuple[str, Callable[[], bytes]]
Runs = dict[str, tuple[str, list[int], bytes]]  # by name: type, shape, bytes
BIG = "9" * 100_000


def parts_of(data: bytes) -> tuple[dict, Runs]:
    """Metadata and runs of a valid file."""
    end = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:end])
    meta = json.loads(entries.pop("__metadata__")["slth"])
    runs = {
        name: (entry["dtype"], entry["shape"], data[end:][slice(*entry["data_offsets"])])
        for name, entry in entries.items()
    }
    return meta, runs


def sealed_runs(meta: object, runs: Runs, *, text: str | None = None, tail: bytes = b"") -> bytes:
    """A file around any metadata and any runs, its digest right."""

    def table(entries: dict) -> dict:
        found, at = {"__metadata__": entries["__metadata__"]}, 0
        for name, (dtype, shape, data) in runs.items():
            found[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
            at += len(data)
        return found

    body = b"".join(data for _, _, data in runs.values())
    return sealed(meta, [], text=text, entries=table, tail=body + tail)


def honest_learned() -> bytes:
    return encode(any_learned())


def learned_cases() -> Iterator[Case]:
    yield from _fields()
    yield from _runs()
    yield from _work()


def _fields() -> Iterator[Case]:
    """One wrong value in the metadata."""
    meta, runs = parts_of(honest_learned())
    tensor = meta["tensors"][0]
    wrong: dict[str, list] = {
        "format": [0, 2, True, "1"],
        "kind": ["constructed", "", None, 1, ...],
        "stream": ["philox4x32-10/v2", None],
        "seed": [5, "", "-5", "05", "9" * 101, BIG],
        "network": [{}, None, [], "bound", {"kind": "bound", "name": None}, {"kind": "builtin", "name": "mlp"}],
        "network.kind": ["builtin", "os.system", None],
        "inputs": [[], {}, {"shape": [3], "mean": [0.0], "std": [0.0]}, {"shape": [], "mean": [0.0], "std": [1.0]}],
        "inputs.shape": [[2, 0, 3], [2.0, 1, 3], [2**41, 1, 1], [2**40, 2**40, 2**40], [3, 1, 3], None],
        "inputs.mean": [[0.5], [0.5] * 3, [0, 1], [float("nan"), 0.0], ["raw:1e999", 0.0], [0.5] * 10_000, None],
        "inputs.std": [[0.5], [0.5, -2.0], [0.5, 0.0], [0.5] * 6, [0.5] * 10_001],
        "tensors": [[], None, {}, [None], [tensor, tensor], [tensor] * 10_001],
        "tensors.0.path": ["", "2.weight", "norm.mean", "tied.ü", "\x1b[31m", "a\nb", "\ud800", "n" * 1001, 5, None],
        "tensors.0.shape": [[5, 4], [3, 5, 0], [-3, -5], [3.0, 5], [True, 15], [2**40, 2**40], [1] * 9, None, []],
        "tensors.0.law": ["cauchy", "", None, [], {}],
        "tensors.0.scale": [0.1, 0.0, -0.5, 1, 2.0**41, 5e-324, "raw:1e999", "raw:0.50", float("nan"), None],
        "tensors.0.kept": [0, 6, 8, 15, 16, -1, 7.0, True, 2**64, f"raw:{BIG}"],
        "tensors.0.binary": [0, 1, None, "true"],
        "tensors.0.gain": [0.7, 0.0, 1, 2.0**41, float("nan"), None],
        "tensors.0.moved": [True, 0, None],
        "tensors.1.moved": [False],
        "tensors.0.stream": ["0.weight", "4.weight", "2.weight@1", "\0", None, 1],
        "tensors.0.aliases": [["0.weight"], ["x", "x"], ["2.weight"], ["half"], [""], [1], None, ["x"] * 10_001],
        "tensors.0.mask": [None, {}, {"encoding": "bits", "bytes": 2, "x": 0}],
        "tensors.0.mask.encoding": ["rans", "deflate", "gzip", "", None, []],
        "tensors.0.mask.bytes": [0, 1, 3, 2**40, 2**64, 2.0],
        "tensors.3.mask": [{"encoding": "bits", "bytes": 1}],
        "tensors.0.head": ["", "g" * 64, "A" * 64, None],
        "tensors.0.weights": ["", "0" * 63, None],
        "epsilon": [0.0, -1.0, 1, "x", float("nan"), "raw:1e999", True],
        "carried": [[], None, {}, 0],
        "carried.half": [None, [], {}, {"dtype": "F16"}, {"dtype": "F16", "shape": [2], "x": 0}, ...],
        "carried.half.dtype": ["BF16", "F32", "I16", "U8", "f2", None, []],
        "carried.half.shape": [[], [1], [3], [2, 2], [-2], [2.0], [True], [2**40] * 3, [1] * 9, None],
        "carried.none.shape": [[3, 0], [0], [0, 2**40, 2**40]],
        "provenance": [None, [], {}, ...],
        "provenance.version": ["", "v" * 101, "\x1b[31m1", None],
        "provenance.method": ["", "m" * 201, "\x1b]0;pwned\x07", "\u202egnp.exe", None],
        "provenance.data": ["", "\0", 5, "d" * 1001],
        "provenance.asked": [None, [], 1, "x", {"\n": 1}, {"k" * 201: 1}, {"x": "\x07"}, {"x": "n" * 1001}],
        "provenance.asked.seed": [10**100, float("nan"), "raw:1e999", [[]] * 10_001, f"raw:{'9' * 4000}"],
    }
    for path, values in wrong.items():
        for k, value in enumerate(values):
            yield (
                f"sealed learned {path}, {k}: {ascii(value)[:24]}",
                lambda path=path, value=value: sealed_runs(_changed(meta, path, value), runs),
            )
    yield "sealed learned with a key more", lambda: sealed_runs({**meta, "bounds": {}}, runs)
    for depth in (17, 900, 100_000):
        text = text_of(meta).replace('"asked":{', '"asked":{"a":' + "[" * depth + "]" * depth + ",", 1)
        yield f"sealed learned asked {depth} deep", lambda text=text: sealed_runs(None, runs, text=text)
    yield "sealed learned in loose text", lambda: sealed_runs(None, runs, text=text_of(meta).replace(":", ": "))
    swapped = text_of(meta).replace("\\u00fc", "\\u00FC")
    yield "sealed learned with capital escapes", lambda: sealed_runs(None, runs, text=swapped)


def _changed(meta: dict, path: str, value: object) -> dict:
    """As `changed`; a value of NaN or a bare token inside lists included."""
    if not path.startswith("carried."):
        return changed(meta, path, value)
    _, name, *rest = path.split(".")
    return {**meta, "carried": changed(meta["carried"], ".".join([name, *rest]), value)}


def _runs() -> Iterator[Case]:
    """Runs that are not those of the metadata, or do not hold what it says."""
    meta, runs = parts_of(honest_learned())

    def altered(name: str, change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
        dtype, shape, data = runs[name]
        return lambda: sealed_runs(meta, {**runs, name: (dtype, shape, change(data))})

    nan, huge = b"\x00\x00\xc0\x7f", b"\x01\x00\x80\x53"
    bytes_of: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
        "a padding bit": ("0.weight.mask", lambda d: d[:-1] + bytes([d[-1] | 0x80])),
        "a bit more": ("0.weight.mask", lambda d: bytes([d[0] | (d[0] + 1)]) + d[1:]),
        "no bits": ("0.weight.mask", lambda d: bytes(len(d))),
        "another coded mask": ("4.weight.mask", lambda d: d[:-1] + bytes([d[-1] ^ 1])),
        "a NaN move": ("2.weight.move", lambda d: nan + d[4:]),
        "a move too large": ("2.weight.move", lambda d: huge + d[4:]),
        "no move": ("2.weight.move", lambda d: bytes(len(d))),
        "a NaN carried": ("carried/norm.mean", lambda d: nan + d[4:]),
        "infinity carried": ("carried/norm.mean", lambda d: b"\x00\x00\x80\x7f" + d[4:]),
        "NaN in half precision": ("carried/half", lambda d: b"\x00\x7e" + d[2:]),
        "a boolean 2": ("carried/a.flags", lambda d: b"\x02" + d[1:]),
        "a byte less": ("carried/half", lambda d: d[:-1]),
        "a byte more": ("carried/half", lambda d: d + b"\0"),
    }
    for name, (run, change) in bytes_of.items():
        yield f"sealed learned run with {name}", altered(run, change)
    tables: dict[str, Callable[[], Runs]] = {
        "in reverse": lambda: dict(reversed(runs.items())),
        "without moves": lambda: {name: run for name, run in runs.items() if name != "2.weight.move"},
        "with one more": lambda: {**runs, "carried/zz": ("F32", [1], bytes(4))},
        "with an empty one more": lambda: {**runs, "carried/zz": ("F32", [0], b"")},
        "renamed": lambda: {name.replace("half", "../half"): run for name, run in runs.items()},
        "of another type": lambda: {**runs, "carried/half": ("I16", *runs["carried/half"][1:])},
        "of other shapes": lambda: {name: (run[0], [1, *run[1]], run[2]) for name, run in runs.items()},
    }
    for name, make in tables.items():
        yield f"sealed learned runs {name}", lambda make=make: sealed_runs(meta, make())
    yield "sealed learned with a tail", lambda: sealed_runs(meta, runs, tail=b"hidden")


def _work() -> Iterator[Case]:
    """Small files that name many weights."""
    meta, runs = parts_of(honest_learned())
    full = meta["tensors"][3]
    sizes = {"2^40 full weights": [2**20, 2**20], "2^28 and some": [2**14, 2**14 + 1], "one axis": [2**40]}
    for name, shape in sizes.items():
        kept = shape[0] * (shape[1] if len(shape) > 1 else 1)
        tensors = [*meta["tensors"][:3], {**full, "shape": shape, "kept": kept}]
        yield f"sealed learned {name}", lambda tensors=tensors: sealed_runs({**meta, "tensors": tensors}, runs)
    many = [{**full, "path": f"t{i}", "shape": [2**10, 2**10], "kept": 2**20} for i in range(1000)]
    thousand = {**meta, "tensors": [*meta["tensors"][:3], *many]}
    yield "sealed learned thousand tensors", lambda: sealed_runs(thousand, runs)
    coded = {**meta["tensors"][2], "shape": [2**20, 2**18], "kept": 5}
    tensors = [*meta["tensors"][:2], coded, full]
    yield "sealed learned coded mask of 2^38", lambda: sealed_runs({**meta, "tensors": tensors}, runs)
    carried = {**meta["carried"], "half": {"dtype": "F64", "shape": [2**20, 2**20]}}
    yield "sealed learned carried terabytes", lambda: sealed_runs({**meta, "carried": carried}, runs)
    aliases = [*meta["tensors"][:3], {**full, "aliases": [f"{i}" for i in range(9_999)] + ["0"]}]
    yield "sealed learned many aliases", lambda: sealed_runs({**meta, "tensors": aliases}, runs)
    layers = [{"x": [0] * 10} for _ in range(2_000)]
    wide = changed(meta, "provenance.asked.data", layers)
    yield "sealed learned asked of many members", lambda: sealed_runs(wide, runs)
