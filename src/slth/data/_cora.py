"""Cora, a citation network in the Planetoid form: one graph, whose nodes are papers with words and a subject.

Read from `cora.npz`, plain arrays: features as row, column and value of what is not 0, labels, edges, and the nodes to
train on, to validate on and to test on. Their SHA-256 decides whether it is the data set.

Source: Yang, Cohen and Salakhutdinov, Revisiting semi-supervised learning with graph embeddings (2016).
"""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from slth._errors import InputError
from slth.data._folder import data_folder

_KEYS = (
    "feature_row",
    "feature_col",
    "feature_value",
    "labels",
    "edge_index",
    "train_index",
    "val_index",
    "test_index",
)
_SHA256 = "8f020365f5b5e2e442f416a78d17f308790de86b86815bd5b8849e18370a30d7"
_FOLDERS = ("cora", ".")


@dataclass(frozen=True, slots=True, eq=False)
class Citations:
    """A graph of papers: 2,708 nodes, 1,433 words, 7 subjects."""

    features: Float32[np.ndarray, "node word"]  # 1 where a paper has a word, else 0
    labels: Int64[np.ndarray, " node"]
    edges: Int64[np.ndarray, "2 edge"]  # both directions, no self-loops
    train: Int64[np.ndarray, " train"]  # nodes whose labels are known: 20 of each subject
    validation: Int64[np.ndarray, " validation"]
    test: Int64[np.ndarray, " test"]

    @property
    def classes(self) -> int:
        """How many subjects there are."""
        return int(self.labels.max()) + 1


def load_cora(data_dir: str | Path | None = None) -> Citations:
    """Read Cora.

    Args:
        data_dir: the folder that holds `cora/cora.npz` or `cora.npz`; by default the environment variable SLTH_DATA.

    Raises:
        InputError: no data folder, no such file in it, or one that holds something else.
    """
    folder = data_folder("cora", None if data_dir is None else Path(data_dir))
    paths = [folder / sub / "cora.npz" for sub in _FOLDERS]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise InputError(
            f"cora: expected one of {', '.join(map(str, paths))}, found none; put it there, or name another folder "
            "with --data-dir or SLTH_DATA"
        )
    arrays = _read(path)
    if content_digest(arrays) != _SHA256:
        raise InputError(f"{path}: expected the arrays of Cora, got others; fetch the file again")
    nodes, words = len(arrays["labels"]), int(arrays["feature_col"].max()) + 1
    features = np.zeros((nodes, words), np.float32)
    features[arrays["feature_row"], arrays["feature_col"]] = arrays["feature_value"]
    return Citations(
        features,
        arrays["labels"],
        arrays["edge_index"],
        arrays["train_index"],
        arrays["val_index"],
        arrays["test_index"],
    )


def content_digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of all arrays, in the order of the keys, as int64 and of the features' values as float32."""
    digest = hashlib.sha256()
    for key in _KEYS:
        digest.update(np.ascontiguousarray(arrays[key], "<f4" if key == "feature_value" else "<i8").tobytes())
    return digest.hexdigest()


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in _KEYS if key not in archive]
            if missing:
                raise InputError(f"{path}: expected arrays {', '.join(_KEYS)}; {missing[0]} is missing")
            return {key: archive[key] for key in _KEYS}
    except InputError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: expected an .npz file of plain arrays, but it cannot be read ({error})") from None
