"""Data of the tests' own: two small sets in IDX form that differ in content only, and any arrays as .npz."""

import gzip
import hashlib
import struct
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest

from slth.data._idx import MNIST, IdxFile, IdxSource


@dataclass(frozen=True)
class Fake:
    """A source, and the content of its files by field name: "train_images", ..."""

    source: IdxSource
    content: dict[str, bytes]

    def write(self, folder: Path, *, part: str = "", spelling: int = 0) -> None:
        """Write the files whose field name begins with `part`, under the given one of their usual names."""
        folder.mkdir(parents=True, exist_ok=True)
        for field, content in self.content.items():
            name = getattr(self.source, field).names[spelling]
            if field.startswith(part):
                (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def make_fake(seed: int) -> Fake:
    random = np.random.default_rng(seed)
    content, described = {}, {}
    for field in ("train_images", "train_labels", "test_images", "test_labels"):
        count = 6 if "train" in field else 3
        shape = (count, 2, 3) if "images" in field else (count,)
        values = random.integers(0, 256 if "images" in field else 10, shape, dtype=np.uint8)
        content[field] = struct.pack(f">{1 + len(shape)}I", 2048 + len(shape), *shape) + values.tobytes()
        stem = getattr(MNIST, field).stem
        described[field] = IdxFile(stem, shape, hashlib.sha256(content[field]).hexdigest())
    assert set(described) < {field.name for field in fields(IdxSource)}
    return Fake(IdxSource(folders=("one", "two/raw", "."), **described), content)


@pytest.fixture
def fake() -> Fake:
    return make_fake(0)


@pytest.fixture
def other() -> Fake:
    return make_fake(1)


@pytest.fixture
def save(tmp_path):
    """Write arrays as own.npz."""

    def write(**arrays):
        np.savez(tmp_path / "own.npz", **arrays)
        return tmp_path / "own.npz"

    return write
