"""Files of named tensors, as the safetensors library writes them: of any format, without PyTorch."""

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

ORDER = ("BOOL", "U8", "I8", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "F64", "I64", "U64")  # the last first


def safetensors_of(tensors: Sequence[tuple[str, str, np.ndarray]], metadata: Mapping[str, str] | None = None) -> bytes:
    """A whole file of tensors (name, format, little-endian numbers): the bytes that `save_file` gives of them.

    The library sorts them by format, then by name.
    """
    ordered = sorted(tensors, key=lambda entry: (-ORDER.index(entry[1]), entry[0].encode()))
    table, at = dict[str, object]({"__metadata__": dict(metadata)} if metadata else {}), 0
    for name, form, array in ordered:
        size = math.prod(array.shape) * array.dtype.itemsize
        table[name] = {"dtype": form, "shape": list(array.shape), "data_offsets": [at, at + size]}
        at += size
    header = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    parts = [np.ascontiguousarray(array).tobytes() for _, _, array in ordered]
    return b"".join([len(header).to_bytes(8, "little"), header, *parts])
