"""Malformed tickets by name: every file here must be refused in one sentence, quickly and in little memory.

`CASES` maps names to functions without arguments that make the bytes. Those whose name starts with "sealed " carry a
right digest, so only validation stands between them and the user; the others are damaged, cut or foreign.
"""

import io
import json
import pickle
from collections.abc import Callable, Iterator

import numpy as np
from attacks.bombs import bombs
from attacks.learned import learned_cases
from attacks.sealing import ZEROS, changed, honest, parts, sealed, text_of

Case = tuple[str, Callable[[], bytes]]
NAME = "layers/0/mixing.mask"


def cases() -> dict[str, Callable[[], bytes]]:
    """All of them."""
    found = [*_foreign(), *_cut(), *_headers(), *_layouts(), *_texts(), *_fields(), *bombs(), *learned_cases()]
    assert len(dict(found)) == len(found), "two cases have one name"
    return dict(found)


def _foreign() -> Iterator[Case]:
    """Files that are no tickets at all."""
    from safetensors.numpy import save

    array = {"w": np.zeros(3, np.float32)}
    npz = io.BytesIO()
    np.savez(npz, x=np.zeros(3))
    files = {
        "empty": b"",
        "seven zeros": bytes(7),
        "eight zeros": bytes(8),
        "a thousand zeros": bytes(1000),
        "a thousand ones": b"\xff" * 1000,
        "an npz": npz.getvalue(),
        "a pickle": pickle.dumps({"format": 1}),
        "a web page": b"<!doctype html><title>404</title>" * 50,
        "plain JSON": honest()[8:2000],
        "safetensors": save(array),
        "safetensors with other metadata": save(array, {"format": "pt"}),
    }
    for name, data in files.items():
        yield name, lambda data=data: data
    for text in ("", "x", "null", "[]", "1", '"slth"', "{}", '{"format":1}', '{"format":1,"digest":null}', "\ufeff{}"):
        yield f"safetensors with slth = {text!r}", lambda text=text: save(array, {"slth": text})


def _cut() -> Iterator[Case]:
    """Truncated, extended and doubled files; header lengths that lie."""
    data = honest()
    for name, end in {"to its length": 8, "in the header": 500, "to the header": -60, "by one byte": -1}.items():
        yield f"cut {name}", lambda end=end: data[:end]
    yield "one byte more", lambda: data + b"\0"
    yield "doubled", lambda: data * 2
    for length in (0, 1, 2, 2**24, 2**24 + 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1):
        yield f"header length {length}", lambda length=length: length.to_bytes(8, "little") + data[8:]
    yield "a digest of other content", lambda: data[:-1] + bytes([data[-1] ^ 1])
    yield "sealed with a tail", lambda: sealed(*parts(data), tail=b"hidden")
    yield "sealed and cut", lambda: sealed(parts(data)[0], [parts(data)[1][0], parts(data)[1][1][:-1]])
    meta, (first, last) = parts(data)
    yield "sealed with a padding bit", lambda: sealed(meta, [first, last[:-1] + bytes([last[-1] | 0x80])])
    yield "sealed without masks", lambda: sealed(parts(data)[0], [])


def _headers() -> Iterator[Case]:
    """The header's bytes in other spellings; all sealed."""
    spellings: dict[str, Callable[[bytes], bytes]] = {
        "a tab as padding": lambda raw: raw + b"\t" * (-len(raw) % 8),
        "newlines as padding": lambda raw: raw + b"\n" * (-len(raw) % 8 + 8),
        "zero bytes as padding": lambda raw: raw + b"\0" * (-len(raw) % 8 + 8),
        "more padding": lambda raw: raw + b" " * (-len(raw) % 8 + 8),
        "no padding": lambda raw: raw.ljust(len(raw) + 1),
        "padding in front": lambda raw: b" " * (-len(raw) % 8 + 8) + raw,
        "spaces between": lambda raw: raw.replace(b'":{"dtype"', b'": {"dtype"'),
        "a byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
        "UTF-16": lambda raw: raw.decode().encode("utf-16"),
        "no UTF-8": lambda raw: raw.replace(b'"U8"', b'"\xff8"', 1),
        "an overlong slash": lambda raw: raw.replace(b"layers/0/m", b"layers\xc0\xaf0/m", 1),
        "raw control characters": lambda raw: raw.replace(b'"U8"', b'"\x1b8"', 1),
        "escaped letters": lambda raw: raw.replace(b'"U8"', b'"\\u00558"', 1),
        "trailing garbage": lambda raw: raw + b"}" * (-len(raw) % 8 + 8),
        "two values": lambda raw: raw + b"{}",
        "comments": lambda raw: raw + b"/**/",
        "__metadata__ twice": lambda raw: raw[:-1] + b',"__metadata__":{}}',
        "slth twice": lambda raw: raw.replace(b'{"slth":', b'{"slth":"{}","slth":', 1),
        "a run twice": lambda raw: raw[:-1] + b',"layers/0/mixing.mask":{}}',
        "dtype twice": lambda raw: raw.replace(b'"dtype":"U8"', b'"dtype":"U8","dtype":"U8"', 1),
        "NaN in it": lambda raw: raw[:-1] + b',"x":NaN}',
        "a list": lambda raw: b"[" + raw + b"]",
    }
    for name, header in spellings.items():
        yield f"sealed header with {name}", lambda header=header: sealed(*parts(honest()), header=header)


def _layouts() -> Iterator[Case]:
    """Lengths, offsets, types and names that do not follow from the metadata; all sealed."""
    whole = len(parts(honest())[1][0])
    entries: dict[str, dict] = {
        "overlap": {"data_offsets": [1, whole]},
        "gap": {"data_offsets": [0, whole - 1]},
        "a negative offset": {"data_offsets": [-1, whole - 1]},
        "offsets past the end": {"data_offsets": [0, 2**63]},
        "float offsets": {"data_offsets": [0.0, float(whole)]},
        "one offset": {"data_offsets": [0]},
        "type I8": {"dtype": "I8"},
        "type F64": {"dtype": "F64", "shape": [whole // 8]},
        "type BOOL": {"dtype": "BOOL"},
        "a second axis": {"shape": [whole, 1]},
        "no axis": {"shape": []},
        "a negative length": {"shape": [-1]},
        "a huge length": {"shape": [2**63]},
        "a huge product": {"shape": [2**40, 2**40]},
        "a boolean length": {"shape": [True]},
        "another key": {"extra": 0},
    }
    for name, change in entries.items():
        yield (
            f"sealed run with {name}",
            lambda change=change: sealed(
                *parts(honest()), entries=lambda table: {**table, NAME: {**table[NAME], **change}}
            ),
        )
    names = [
        "../../etc/passwd",
        "/dev/null",
        "layers\\0\\mixing.mask",
        "layers/0/mixing.mask\0",
        "l\u0430yers/0/mixing.mask",
    ]
    for name in [*names, "layers/0/mixing\u200b.mask", "\ud800", "", "__proto__", "layers/00/mixing.mask"]:
        yield (
            f"sealed run called {name!a}",
            lambda name=name: sealed(
                *parts(honest()), entries=lambda table: {name if key == NAME else key: v for key, v in table.items()}
            ),
        )
    tables: dict[str, Callable[[dict], dict]] = {
        "in reverse": lambda table: dict(reversed(table.items())),
        "with one more": lambda table: {**table, "z": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}},
        "with one less": lambda table: {key: value for key, value in table.items() if key != NAME},
        "with more metadata": lambda table: {**table, "__metadata__": {**table["__metadata__"], "more": "x"}},
        "without metadata": lambda table: {NAME: table[NAME]},
    }
    for name, change in tables.items():
        yield f"sealed runs {name}", lambda change=change: sealed(*parts(honest()), entries=change)
    yield "sealed runs exchanged", lambda: sealed(parts(honest())[0], parts(honest())[1][::-1])


def _texts() -> Iterator[Case]:
    """The metadata's text in other spellings; all sealed."""
    meta, masks = parts(honest())
    tight = text_of(meta)
    spellings = {
        "loose": json.dumps({**meta, "digest": ZEROS}, sort_keys=True),
        "unsorted": json.dumps(dict(reversed({**meta, "digest": ZEROS}.items())), separators=(",", ":")),
        "a space after it": tight + " ",
        "a byte order mark": "\ufeff" + tight,
        "a zero byte": tight + "\0",
        "a key twice": tight[:-1] + ',"seed":"5"}',
        "an inner key twice": tight.replace('"attempts":1', '"attempts":1,"attempts":1'),
        "the digest twice": tight[:-1] + f',"digest":"{ZEROS}"}}',
        "a longer float": tight.replace('"gain":0.5', '"gain":0.50'),
        "an exponent": tight.replace('"gain":0.5', '"gain":5e-1'),
        "a capital exponent": tight.replace('"gain":0.5', '"gain":5E-1'),
        "an integer for a float": tight.replace('"bias_gain":2.0', '"bias_gain":2'),
        "a float for an integer": tight.replace('"attempts":1', '"attempts":1.0'),
        "minus zero": tight.replace('"constants":6', '"constants":-0'),
        "a leading zero": tight.replace('"attempts":1', '"attempts":01'),
        "a plus sign": tight.replace('"attempts":1', '"attempts":+1'),
        "hexadecimal": tight.replace('"attempts":1', '"attempts":0x1'),
        "an escaped letter": tight.replace("coin flips", "c\\u006fin flips"),
        "an unescaped letter": tight.replace("coin flips", "cöin flips"),
        "single quotes": tight.replace('"', "'"),
        "a trailing comma": tight[:-1] + ",}",
        "an unclosed end": tight[:-1],
    }
    for name, text in spellings.items():
        yield f"sealed text with {name}", lambda text=text: sealed(None, masks, text=text)


def _fields() -> Iterator[Case]:
    """One wrong value in the metadata; all sealed and canonical, so that the value itself must be refused."""
    meta, masks = parts(honest())
    digits = "9" * 100_000
    wrong: dict[str, list] = {
        "format": [0, -1, 2, 10**4299, True, 1.0, "1", None, [1], float("nan"), f"raw:{digits}"],
        "digest": ["A" * 64, "0" * 63, "0" * 64 + "\n", "", None, 0],
        "stream": ["philox4x32-10/v2", "", None],
        "seed": [5, "", "-5", "+5", "05", "5.0", "5\n", " 5", "１", "٥", "1e3", "9" * 101, f"{digits}", None],
        "network.kind": ["bound", "os.system", None],
        "network.name": ["../relu_mlp", "relu_mlp\0", "relu\u200b_mlp", {}],
        "network.arguments.widths": [[], [3], [3, 4], [3, 0, 2], [3, -4, 2], [3, 2**41, 2], [3, 2**64, 2], [3.0, 4, 2]],
        "network.arguments.widths.1": [True, "4", None, 5, f"raw:{digits}"],
        "network.arguments.bias": [[], [True], [1, 1], [False, False], [True] * 3, None],
        "domain.range": [
            *([], [[0.0]], [[1.0], [0.0]], [[-1, 1]], [[-1], [1]], [[-1.0] * 2, [1.0] * 2], [[], []], None),
            *([[-1.0], [1.0] * 3], [[-1.0] * 3, [1.0]], [[-1.0], []]),
        ],
        "domain.range.0.0": [float("nan"), float("inf"), "raw:1e999", "raw:-1e999", "-1.0", 0.0, 2.0, 1e308],
        "domain.normalize": [[0.0], [0.0, 0.0], [0.0, -1.0], [0.0, float("inf")], [0, 1], "x"],
        "layers.0.gain": [0.0, -0.5, 0.75, 1, 2.0**201, 5e-324, float("nan"), "raw:1e999", None],
        "layers.0.lift.candidates": [0, 65, -1, 4, 5.0, True, 10**4299],
        "layers.0.lift.constants": [0, 65, -1, 7, None],
        "layers.0.lift.neurons": [0, 1, -1, 2**50 + 1, 2**63, 1e9],
        "layers.0.lift.signed": [
            [],
            [[0, 4]],
            [[0, 2], [2, 3]],
            [[0, 2], [1, 3]],
            [[3, 0]],
            [[0, 3, 3]],
            [[-1, 3]],
            [0],
        ],
        "layers.0.lift.threshold": [0.25, 0, 1, None],
        "layers.0.mask": [{}, None, {"encoding": "bits", "bytes": 18, "x": 0}],
        "layers.0.mask.encoding": ["gzip", "Bits", "", None, "deflate", "rans"],
        "layers.0.mask.bytes": [0, -1, 2**40, 2**64, 17, 18.0],
        "layers.0.realised": ["", "A" * 64, "0" * 65, None],
        "layers.1.lift.signed": [[[0, 1]], [[0, 4]]],
        "layers": [[], None, {}, [None, None], ...],
        "tensors": [[], None, ...],
        "tensors.0.path": ["../../etc/passwd", "layers/0/lift\0", "l\u0430yers/0/lift", ...],
        "tensors.0.shape": [[1, 3], [3], [48.0, 3], [2**63, 2**63], [-48, 3], []],
        "tensors.0.law": ["normal", None],
        "tensors.0.scale": [2.0, 1, True],
        "tensors.2.shape.2": [True, 1.0],
        "tensors.0.head": ["", "g" * 64],
        "carried": [[1], None, [[]], {}],
        "bounds.sup_error": [-1.0, 5, True, None, float("inf"), "raw:1e999", "0", "\0" * 1000, f"raw:{'9' * 4300}"],
        "bounds.output_error": [[], [1.0], [1.0] * 3, None, [1, 2], [-1.0, 1.0]],
        "bounds.layers": [[], None, {}, ...],
        "bounds.layers.0.misses": [-1, 29, 2**63, 10**4299, 1.0, True, f"raw:{digits}"],
        "bounds.layers.0.tolerance": [-1.0, None, float("nan"), 2**53 + 1],
        "provenance.attempts": [0, -1, 10**6 + 1, True],
        "provenance.version": ["v" * 101, "\x1b[31m1", None],
        "provenance.method": ["m" * 201, "\x1b]0;pwned\x07", "a\nb", "\u202egnp.exe", "\ud800", "\0", None],
        "provenance.target": ["x", "0" * 64 + "\n", None],
        "provenance.names": [[], [["w", "b"]] * 2, [["w", None], ["v", "b"]], [["w", "w"], ["v", "b"]], [["a"]] * 2],
        "provenance.names.0.0": ["1.bias", "__metadata__", "\x1b[2J", "\ud800", "n" * 1001, 0, None],
        "provenance.misses": [[[0, 0, 0, "positive"]], [[9, 0, 0, "positive", 1.0]], [[0, 0, 0, "both", 1.0]]],
        "provenance.asked": [{}, None, ...],
        "provenance.asked.tolerance": [None, 0.0, -1.0, "raw:1e999"],
        "provenance.asked.epsilon": [0.1, float("nan")],
    }
    for path, values in wrong.items():
        for k, value in enumerate(values):
            yield (
                f"sealed {path}, {k}: {repr(value)[:24]}",
                lambda path=path, value=value: sealed(changed(meta, path, value), masks),
            )
    miss = [0, 0, 0, "positive", 1.0]
    yield "sealed a miss twice", lambda: sealed(changed(meta, "provenance.misses", [miss, miss]), masks)
    extra = {**meta, "\x1b[31mextra\n": 1}
    yield "sealed one key more", lambda: sealed(extra, masks)
