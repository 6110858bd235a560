"""The graph is what its source says, and nothing else is taken for it."""

import os
from pathlib import Path

import numpy as np
import pytest

from slth import InputError
from slth.data import _cora, load_cora

DATA = Path(os.environ.get("SLTH_DATA", "/absent"))


def arrays():
    return {
        "feature_row": np.array([0, 1, 2], np.int32),
        "feature_col": np.array([3, 0, 1], np.int32),
        "feature_value": np.ones(3, np.float32),
        "labels": np.array([0, 2, 1]),
        "edge_index": np.array([[0, 1], [1, 0]]),
        "train_index": np.array([0]),
        "val_index": np.array([1]),
        "test_index": np.array([2]),
    }


def test_arrays_become_a_graph(tmp_path, monkeypatch):
    monkeypatch.setattr(_cora, "_SHA256", _cora.content_digest(arrays()))
    np.savez(tmp_path / "cora.npz", **arrays())
    found = load_cora(tmp_path)
    assert found.features.tolist() == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]
    assert found.classes == 3
    assert found.edges.tolist() == [[0, 1], [1, 0]]


def test_other_content_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_cora, "_SHA256", _cora.content_digest(arrays()))
    with pytest.raises(InputError, match="found none"):
        load_cora(tmp_path)
    (tmp_path / "cora").mkdir()
    path = tmp_path / "cora" / "cora.npz"
    for key in arrays():
        changed = arrays() | {key: arrays()[key][..., ::-1] + 1}
        np.savez(path, **changed)
        with pytest.raises(InputError, match="expected the arrays of Cora"):
            load_cora(tmp_path)
    np.savez(path, labels=np.zeros(3))
    with pytest.raises(InputError, match="feature_row is missing"):
        load_cora(tmp_path)
    path.write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="cannot be read"):
        load_cora(tmp_path)


@pytest.mark.skipif(not (DATA / "cora" / "cora.npz").is_file(), reason="needs the data set")
def test_the_real_one():
    cora = load_cora(DATA)
    assert cora.features.shape == (2708, 1433)
    assert np.bincount(cora.labels).tolist() == [351, 217, 418, 818, 426, 298, 180]
    assert cora.edges.shape == (2, 10556)
    assert (cora.edges[0] != cora.edges[1]).all()
