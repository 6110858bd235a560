"""What an attacker has: any metadata, any header, any masks, and always a right digest."""

import hashlib
import json
import re
from collections.abc import Callable
from functools import cache

from helpers.tickets import any_ticket

from slth.ticket import encode

ZEROS = "0" * 64
_FIELD = b'\\"digest\\":\\"'


@cache
def honest(*args, **options) -> bytes:
    """The file of `any_ticket(*args, **options)`."""
    return encode(any_ticket(*args, **options)[0])


def parts(data: bytes) -> tuple[dict, list[bytes]]:
    """Metadata and masks of a valid file."""
    end = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:end])
    meta = json.loads(entries.pop("__metadata__")["slth"])
    return meta, [data[end:][slice(*entry["data_offsets"])] for entry in entries.values()]


def text_of(meta: object) -> str:
    """The canonical text, a digest zeroed. A string "raw:X" stands for the bare token X; NaN is written as it is."""
    if isinstance(meta, dict) and re.fullmatch("[0-9a-f]{64}", str(meta.get("digest"))):
        meta = {**meta, "digest": ZEROS}
    return re.sub(r'"raw:([^"]*)"', r"\1", json.dumps(meta, sort_keys=True, separators=(",", ":")))


def sealed(
    meta: object,
    masks: list[bytes],
    *,
    text: str | None = None,
    entries: Callable[[dict], dict] = lambda entries: entries,
    header: Callable[[bytes], bytes] = lambda raw: raw + b" " * (-len(raw) % 8),
    tail: bytes = b"",
) -> bytes:
    """A file around any metadata, its digest filled in wherever the file leaves room for one."""
    table: dict = {"__metadata__": {"slth": text_of(meta) if text is None else text}}
    at = 0
    for i, mask in enumerate(masks):
        table[f"layers/{i}/mixing.mask"] = {"dtype": "U8", "shape": [len(mask)], "data_offsets": [at, at + len(mask)]}
        at += len(mask)
    raw = header(json.dumps(entries(table), separators=(",", ":")).encode())
    body = len(raw).to_bytes(8, "little") + raw + b"".join(masks) + tail
    return body.replace(_FIELD + ZEROS.encode(), _FIELD + hashlib.sha256(body).hexdigest().encode(), 1)


def changed(meta: dict, path: str, value: object) -> dict:
    """A copy of the metadata with one value replaced, `...` to delete it; path as in `layers.0.gain`."""
    copy = json.loads(json.dumps(meta))
    *parents, last = path.split(".")
    node = copy
    for key in parents:
        node = node[int(key) if isinstance(node, list) else key]
    if value is ...:
        del node[int(last) if isinstance(node, list) else last]
    else:
        node[int(last) if isinstance(node, list) else last] = value
    return copy
