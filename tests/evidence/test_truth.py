"""One place decides what outputs are held against; whatever fits in no way is one sentence."""

import numpy as np
import pytest

from slth import InputError
from slth.certificate import Largest, Sign
from slth.evidence.truth import truth_of

N = 4
LABELS = np.array([0, 1, 1, 0])


def images(*shape, classes=2):
    return np.random.default_rng(0).integers(0, classes, (N, *shape))


@pytest.mark.parametrize(
    ("y", "outputs", "decision", "shape"),
    [
        (LABELS, (3,), Largest(), (N,)),
        (LABELS[:, None], (3,), Largest(), (N,)),
        (LABELS.astype(np.uint8), (3,), Largest(), (N,)),
        (LABELS == 1, (2,), Largest(), (N,)),
        (LABELS, (3, 1, 1), Largest(), (N,)),
        (LABELS, (1, 1, 3), Largest(), (N,)),
        (LABELS, (1,), Sign(), (N, 1)),
        (LABELS == 1, (1,), Sign(), (N, 1)),
        (2 * LABELS - 1, (1,), Sign(), (N, 1)),
        (LABELS[:, None], (1,), Sign(), (N, 1)),
        (LABELS, (1, 1), Sign(), (N, 1, 1)),
        (images(5, 6), (3, 5, 6), Largest(1), (N, 5, 6)),
        (images(3), (3, 3), Largest(1), (N, 3)),  # both axes fit: the first
        (images(5), (5, 2), Largest(2), (N, 5)),
        (images(5, 6), (1, 5, 6), Sign(), (N, 1, 5, 6)),
        (images(1, 5, 6), (1, 5, 6), Sign(), (N, 1, 5, 6)),
        (images(5), (5, 1), Sign(), (N, 5, 1)),
        (np.ones(N), (1,), None, (N, 1)),
        (np.ones((N, 3), np.float16), (3,), None, (N, 3)),
        (np.ones((N, 5, 6)), (1, 5, 6), None, (N, 1, 5, 6)),
        (None, (3,), Largest(), None),
        (None, (3, 1, 1), Largest(), None),
        (None, (1,), Sign(), None),
        (None, (3, 2), None, None),
    ],
)
def test_kinds_follow_from_what_y_holds_and_from_the_shapes(y, outputs, decision, shape):
    found = truth_of(y, (N, *outputs), sigmoid=False)
    assert found.decision == decision
    assert (found.y is None) == (shape is None)
    if found.y is not None:
        assert found.y.shape == shape
        assert found.y.dtype == (np.float64 if decision is None else np.int64)
        assert (found.y.ravel() == (y > 0 if isinstance(decision, Sign) else y).ravel()).all()
    half = truth_of(y, (N, *outputs), sigmoid=True).decision
    assert half == (Sign(0.5) if isinstance(decision, Sign) else decision)


@pytest.mark.parametrize(
    ("y", "outputs", "sentence"),
    [
        (LABELS + 2, (3,), "the labels run from 2 to 3, the ticket's outputs from 0 to 2"),
        (LABELS - 1, (3,), "expected labels as whole numbers from 0, got int64 from -1"),
        (LABELS.astype(np.uint64) + np.uint64(2**63), (3,), "the labels run from 9223372036854775808 to"),
        (np.arange(N), (1,), r"one output .* labels 0 and 1, or -1 and 1, got 0 to 3; .* y\.astype\(float\)"),
        (LABELS - 1, (1,), "got -1 to 0"),  # which of them is class 0 cannot be told
        (np.array([-1, 0, 1, 1]), (1,), "got -1 to 1"),
        (np.eye(N, 3, dtype=int), (3,), r"whole numbers of shape \(4, 3\), .* y\.argmax\(1\)"),
        (
            images(3),
            (5,),
            r"shape \(4, 3\), the outputs have shape \(4, 5\): expected one label per input, shape \(4,\)",
        ),
        (images(6, 5), (3, 5, 6), "or one for each position"),
        (LABELS, (3, 5), "is it the right data"),
        (images(0), (1,), "is it the right data"),
        (images(5, 6) + 2, (3, 5, 6), "the labels run from 2 to 3"),
        (LABELS * 1.0, (3,), r"real numbers of shape \(4,\), the outputs .* \(4, 3\): .* y\.astype\(int\)"),
        (np.ones((N, 0)), (1,), "expected the same shape"),
        (np.ones((N, 6, 5)), (1, 5, 6), "expected the same shape"),
        (np.array([0, 1, np.nan, np.inf]), (1,), r"NaN, infinity .* in 2 row\(s\), the first at index 2"),
        (np.array([0, 1e39, 0, 0]), (1,), r"beyond float32 in 1 row\(s\), the first at index 1"),
    ],
)
def test_what_fits_in_no_way_is_refused(y, outputs, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        truth_of(y, (N, *outputs), sigmoid=False)
    assert "\n" not in str(caught.value)
