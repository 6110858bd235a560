"""Files of version 2 around any metadata, always with a right digest."""

import copy
import hashlib
import json
import re

ZEROS = "0" * 64
_FIELD = b'\\"digest\\":\\"'


def parts(data: bytes) -> tuple[dict, dict, bytes]:
    """Metadata, the table of runs, and their bytes."""
    end = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:end])
    return json.loads(entries.pop("__metadata__")["slth"]), entries, data[end:]


def version_of(data: bytes) -> int:
    """The version that a file states."""
    return parts(data)[0]["format"]


def text_of(meta: object) -> str:
    """The canonical text with a digest of zeros; a string "raw:X" stands for the bare token X."""
    if isinstance(meta, dict) and "digest" in meta:
        meta = {**meta, "digest": ZEROS}
    return re.sub(r'"raw:([^"]*)"', r"\1", json.dumps(meta, sort_keys=True, separators=(",", ":")))


def sealed(meta: object, entries: dict, body: bytes, *, text: str | None = None) -> bytes:
    """A file; `text` instead of the metadata's own."""
    table = {"__metadata__": {"slth": text_of(meta) if text is None else text}, **entries}
    raw = json.dumps(table, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    data = len(raw).to_bytes(8, "little") + raw + body
    return data.replace(_FIELD + ZEROS.encode(), _FIELD + hashlib.sha256(data).hexdigest().encode(), 1)


def entries_of(runs: list[tuple[str, str, list[int], int]]) -> dict:
    """The table of some runs: name, type, shape, bytes."""
    entries, at = {}, 0
    for name, dtype, shape, size in runs:
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    return entries


def changed(meta: dict, path: tuple, value: object) -> dict:
    """A copy of the metadata with the member at a path of keys replaced; `...` deletes it."""
    meta = copy.deepcopy(meta)
    *parents, last = path
    node = meta
    for key in parents:
        node = node[key]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return meta
