"""The user's own .npz: any float or integer x, integer labels, and one clear sentence for everything else."""

import zipfile

import numpy as np
import pytest

from slth import InputError
from slth.data import load

X = np.array([[0.0, 3.0], [-1.5, 2.0], [0.5, 0.5]])
Y = np.array([2, 0, 1])


def test_without_test_arrays_all_rows_are_for_both(save):
    path = save(x=X, y=Y)
    data = load(path)
    assert data.test_x is data.train_x
    assert (data.test_x == X).all()
    assert (data.test_y == Y).all()
    assert (data.name, data.classes) == (str(path), 3)
    assert (data.input_range, data.range_observed) == ((-1.5, 3.0), True)


def test_with_test_arrays_both_parts_count_for_range_and_classes(save):
    data = load(save(x=X, y=Y, x_test=[[9.0, 0.0]], y_test=[4]))
    assert data.train_x.shape == (3, 2)
    assert data.test_x.tolist() == [[9.0, 0.0]]
    assert (data.classes, data.input_range) == (5, (-1.5, 9.0))


def test_leaving_out_the_training_part_changes_nothing_else(save):
    data = load(save(x=X, y=Y), train=False)
    assert (data.train_x.shape, data.train_y.shape) == ((0, 2), (0,))
    assert (data.test_x == X).all()
    assert data.input_range == (-1.5, 3.0)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i1", "u1", "i4", "u8"])
@pytest.mark.parametrize("labels", ["u1", "i2", ">i4", "i8", "u8"])
def test_every_numeric_dtype_and_image_shape_is_read_in_its_own_scale(save, dtype, labels):
    x = np.arange(24).reshape(2, 3, 4, 1).astype(dtype)
    data = load(str(save(x=x, y=np.array([0, 7], labels))), shape=(-1,))
    assert data.train_x.dtype == np.float32
    assert data.train_x.tolist() == [list(range(12)), list(range(12, 24))]
    assert data.train_y.tolist() == [0, 7]
    assert data.train_y.dtype == np.int64


def test_compressed_files_and_capital_suffixes_are_read(tmp_path):
    np.savez_compressed(tmp_path / "own.npz", x=np.asfortranarray(X), y=Y)
    (tmp_path / "own.npz").rename(tmp_path / "own.NPZ")
    assert (load(tmp_path / "own.NPZ").test_x == X).all()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": X}, "y missing, found x"),
        ({"a": X}, "x and y missing, found none of them"),
        ({"x": X, "y": Y, "x_test": X}, "y_test missing, found x, x_test, y"),
        ({"x": X, "y": Y, "y_test": Y}, "x_test missing"),
        ({"x": X, "y": Y[:2]}, "one label for each row of x, got 3 rows and 2 labels"),
        ({"x": X, "y": Y, "x_test": X[:1], "y_test": Y}, "each row of x_test, got 1 rows and 3 labels"),
        (
            {"x": X, "y": Y, "x_test": X[:, :1], "y_test": Y},
            r"training examples are float32 of shape \(2,\) but test .* \(1,\)",
        ),
        ({"x": X[:0], "y": Y[:0]}, r"at least one row, got float64 of shape \(0, 2\)"),
        ({"x": X[:, :0], "y": Y}, r"got float64 of shape \(3, 0\)"),
        ({"x": X[0], "y": Y[:2]}, r"shape \(count, features\) and at least one row, got float64 of shape \(2,\)"),
        ({"x": np.float64(1), "y": Y}, r"of shape \(\)"),
        ({"x": X + 0j, "y": Y}, "float or integer numbers.*got complex128"),
        ({"x": X.astype(str), "y": Y}, "float or integer numbers.*got <U"),
        ({"x": np.where(X == 3, np.nan, X), "y": Y}, r"finite .* in x, got .* in 1 row.s., the first at index 0"),
        ({"x": np.where(X == 2, np.inf, X), "y": Y}, "the first at index 1"),
        ({"x": X * 1e60, "y": Y}, "an overflow in 3 row"),
        ({"x": X, "y": Y.astype(float)}, r"integer labels .* got float64 .*astype\(int\)"),
        ({"x": X, "y": Y + 0.5}, "integer labels"),
        ({"x": X, "y": np.eye(3, dtype=int)}, r"got int64 of shape \(3, 3\); .*argmax"),
        ({"x": X, "y": Y - 1}, "expected labels from 0 .* got -1 to 1"),
        ({"x": X, "y": Y.astype(np.uint64) + np.uint64(2**63)}, "at most 2147483647"),
        ({"x": X, "y": Y * 10**9}, "labels up to .* would be as many classes.* at most 1,048,576: number the classes"),
        ({"x": X, "y": Y * np.nan}, "integer labels"),
        ({"x": np.array([[1], [1, 2], [3]], dtype=object), "y": Y}, "got an object array, .* can run code"),
        ({"x": X, "y": Y.astype(object)}, "got an object array"),
    ],
)
def test_arrays_that_are_no_data_set_are_refused(save, arrays, sentence):
    path = save(**arrays)
    with pytest.raises(InputError, match=sentence) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "another kind of file"), (b"\x80\x04N.", "another kind of file"), (b"PK\x03\x04", "cannot be read")],
    ids=["empty", "pickle", "zip cut short"],
)
def test_files_of_another_kind_are_refused(tmp_path, content, sentence):
    path = tmp_path / "own.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        load(path)


def test_a_single_array_a_folder_and_a_missing_file_are_refused(tmp_path):
    with open(tmp_path / "one.npz", "wb") as file:
        np.save(file, X)
    with pytest.raises(InputError, match=r"another kind of file; write it with np\.savez"):
        load(tmp_path / "one.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "folder.npz")
    with pytest.raises(InputError, match=r"absent\.npz: .* there is no such file"):
        load(tmp_path / "absent.npz")


def test_every_cut_of_a_file_is_refused(save):
    path = save(x=X, y=Y)
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(InputError):
            load(path)


def test_every_damaged_byte_is_refused_or_harmless(tmp_path):
    """Whatever byte changes, the answer is the data or one sentence; most bytes are covered by a CRC."""
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x=X, y=Y)
    content = path.read_bytes()
    refused = 0
    for place in range(len(content)):
        for flip in (0x01, 0xFF):
            path.write_bytes(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
            try:
                assert (load(path).test_x == X).all()
            except InputError:
                refused += 1
    assert refused > len(content)


def test_a_member_that_is_no_array_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("x", b"not an array")
        archive.writestr("y", b"not an array")
    with pytest.raises(InputError, match="float or integer numbers"):
        load(tmp_path / "own.npz")


def test_an_array_that_claims_more_than_memory_holds_is_refused(tmp_path):
    """A header may promise 2^45 numbers; the promise is not kept, and nothing else happens."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (35184372088832, 1), }\n"
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "own.npz")


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int16])
@pytest.mark.parametrize(
    "shape", [(1024,), (12, 7), (439, 1), (6, 5, 3), (6, 5, 1), (3, 6, 5), (2, 3, 4, 5), (1, 12, 7), (8, 8, 3)]
)
def test_data_of_the_very_shape_that_a_network_takes_is_taken_as_it_is(save, shape, dtype):
    """Channels last, too, where the network has them last; bytes of images count as x / 255, as ever."""
    x = np.random.default_rng(0).integers(0, 100, (4, *shape)).astype(dtype)
    data = load(save(x=x, y=np.arange(4)), shape=shape)
    assert data.shape == shape
    assert np.array_equal(data.test_x, x)
    image = dtype == np.uint8 and len(shape) > 1
    assert data.test_x.dtype == (np.uint8 if image else np.float32)
    taken = data.inputs()
    assert np.array_equal(taken.normalised(data.test_x), x.astype(np.float32) / np.float32(255 if image else 1))
    assert (taken.shape, data.classes) == (shape, 4)


def test_data_with_other_axes_than_the_network_is_still_looked_at(save):
    path = save(x=np.zeros((4, 8, 8, 3)), y=np.arange(4))
    for shape in (None, (3, 8, 8), (8, 3, 8)):
        with pytest.raises(InputError, match="channels before height and width"):
            load(path, shape=shape)


@pytest.mark.parametrize("y", [np.array([2.5, -1.0, 0.0]), np.ones((3, 2, 2), np.float16), np.array([-1, 1, 2]), Y > 0])
def test_asked_for_more_than_labels_y_is_any_numbers(save, y):
    """Whole numbers stay whole: they are labels. Nothing is said of classes."""
    data = load(save(x=X, y=y, x_test=X[:2], y_test=y[:2]), labelled=False)
    assert np.array_equal(data.train_y, y)
    assert np.array_equal(data.test_y, y[:2])
    assert data.train_y.dtype == data.test_y.dtype == (np.float64 if y.dtype.kind == "f" else np.int64)
    assert data.classes == 0
    assert load(save(x=X, y=y), labelled=False, train=False, shape=(2,)).train_y.shape == (0, *y.shape[1:])


def test_asked_for_more_than_labels_y_may_be_missing(save):
    for arrays in ({"x": X}, {"x": X, "x_test": X[:2]}):
        data = load(save(**arrays), labelled=False)
        assert data.train_y is data.test_y is None
        assert len(data.test_x) == len(arrays.get("x_test", X))
        assert data.reshaped((2,)).test_y is None
    with pytest.raises(InputError, match="y missing, found x"):
        load(save(x=X))
    data = load(save(x=X, x_test=X[:2], y_test=Y[:2] * 1.0), labelled=False)
    assert (data.train_y, len(data.test_y)) == (None, 2)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"y": Y * 1.0}, "x missing, found y"),
        ({"x": X, "y": Y * 1.0, "x_test": X}, "y_test missing"),
        ({"x": X, "y_test": Y * 1.0}, "x_test missing"),
        ({"x": X, "y": Y[:2] * 1.0}, "one label for each row of x, got 3 rows and 2 labels"),
        ({"x": X, "y": np.zeros(0)}, "got 3 rows and 0 labels"),
        ({"x": X, "y": np.float64(3)}, r"labels or real numbers, shape \(count, ...\), got float64 of shape \(\)"),
        ({"x": X, "y": np.where(Y == 0, np.nan, Y)}, r"in y, got NaN, .* in 1 row\(s\), the first at index 1"),
        ({"x": X, "y": Y * 1e60}, r"an overflow in 2 row\(s\), the first at index 0"),
        ({"x": X, "y": Y + 0j}, "labels or real numbers"),
        ({"x": X, "y": Y.astype(str)}, "labels or real numbers"),
        ({"x": X, "y": Y.astype(np.uint64) + np.uint64(2**63)}, "at most 2147483647 in y"),
        ({"x": X, "y": Y.astype(object)}, "got an object array"),
    ],
)
def test_what_holds_no_numbers_at_all_is_refused(save, arrays, sentence):
    path = save(**arrays)
    with pytest.raises(InputError, match=sentence) as caught:
        load(path, labelled=False)
    assert str(caught.value).startswith(f"{path}: ")


def test_labels_may_be_true_and_false(save):
    data = load(save(x=X, y=Y > 0))
    assert (data.train_y.tolist(), data.train_y.dtype, data.classes) == ([1, 0, 1], np.int64, 2)


def test_a_search_wants_data_that_was_loaded_for_its_labels(save):
    pytest.importorskip("torch")
    import slth

    with pytest.raises(InputError, match="was not loaded for its labels, which a search needs"):
        slth.search("mlp", load(save(x=X, y=Y), labelled=False))
