"""ONNX files: what is one, what of it can be read at all. Nothing of a file is run here."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from slth._errors import InputError
from slth._extras import install
from slth.network.reading.files import check_plain
from slth.network.reading.words import first_line, listed, shown

OLDEST = 9  # opset
MOST_BYTES = 2**31 - 1  # of a protobuf; larger networks keep their weights beside it
STANDARD = ("", "ai.onnx")  # the domain of the operators that ONNX defines
FLOATS = (1, 10, 11, 16)  # float32, float16, float64, bfloat16, as TensorProto numbers them


def import_onnx(purpose: str) -> Any:
    """The package onnx, or one sentence on how to get it."""
    try:
        onnx = import_module("onnx")
        for part in ("checker", "inliner", "reference", "shape_inference"):
            import_module(f"onnx.{part}")
    except ImportError as error:
        raise InputError(f"{purpose} needs the package onnx: {install('onnx')}") from error
    return onnx


def load_onnx(path: Path) -> Any:
    """The model in a file, its external data included, local functions written out.

    Raises:
        InputError: no such file, no ONNX model, or a part of one; data that lie beside it are missing; an opset that
            is too old, or newer than the installed onnx.
    """
    onnx = import_onnx(f"reading {shown(path)}")
    check_plain(path, "an .onnx file")
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf raises types of its own
        raise _no_model(path, first_line(error, 160)) from error
    if not model.graph.node:
        raise _no_model(path, "its graph has no node")
    _check_external(onnx, model, path)
    return checked(model, shown(path))


def checked(model: Any, name: str) -> Any:
    """A model that can be walked: of known opset, without local functions. Nodes are checked when they are read.

    Raises:
        InputError: it is not; one sentence.
    """
    onnx = import_onnx(f"reading {name}")
    if any(isinstance(text, bytes) for text in _names(model.graph)):
        raise InputError(f"{name} is no valid ONNX model: it holds a name that is no text (UTF-8); get a fresh copy")
    check_opset(onnx, model, name)
    if names := _outside(onnx, model):
        raise InputError(
            f"{name} was loaded without its weights, which are in {listed(names, 3)}; give the path of its file, or "
            "onnx.load(path), which loads both"
        )
    try:
        return onnx.inliner.inline_local_functions(model) if model.functions else model
    except Exception as error:  # raises types of its own
        reason = first_line(error, 200)
        raise InputError(f"{name} is no valid ONNX model: {reason}; export it again") from error


def check_opset(onnx: Any, model: Any, name: str) -> int:
    """The version of the standard operators.

    Raises:
        InputError: older than 9, newer than the installed onnx knows, or none.
    """
    newest = onnx.defs.onnx_opset_version()
    found = [entry.version for entry in model.opset_import if entry.domain in STANDARD]
    if not found:
        domains = listed(sorted({entry.domain for entry in model.opset_import})) or "none"
        raise InputError(
            f"{name} imports no version of the standard ONNX operators (its domains: {domains}); opsets {OLDEST} to "
            f"{newest} are read"
        )
    version = int(max(found))
    if version < OLDEST:
        raise InputError(
            f"{name} has opset {version}; opsets {OLDEST} to {newest} are read: convert it, "
            f"onnx.version_converter.convert_version(model, {min(newest, 18)})"
        )
    if version > newest:
        raise InputError(
            f"{name} has opset {version}, and the installed onnx knows opsets up to {newest}: pip install -U onnx, or "
            f"export it with opset {newest}"
        )
    return version


def _names(graph: Any) -> Iterator[str | bytes]:
    """What values, nodes and operators are called, also inside of branches; bytes where protobuf finds no text."""
    yield from (value.name for value in (*graph.input, *graph.output, *graph.initializer, *graph.value_info))
    for node in graph.node:
        yield from (node.op_type, node.domain, node.name, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _names(inner)


def array_of(tensor: Any) -> np.ndarray:
    """The numbers of a tensor.

    Raises:
        InputError: they do not fit its shape or type.
    """
    try:
        return import_onnx("reading weights").numpy_helper.to_array(tensor)
    except Exception as error:  # whatever NumPy and onnx raise of bytes that were damaged
        raise InputError(
            f"the numbers of {shown(tensor.name) or 'a tensor'} do not fit its shape and type "
            f"({first_line(error, 160)}); the file is damaged: get a fresh copy"
        ) from error


def _no_model(path: Path, why: str) -> InputError:
    return InputError(
        f"cannot read the target {shown(path)}: not an ONNX model ({why}); another kind of file, or a part of one"
    )


def _check_external(onnx: Any, model: Any, path: Path) -> None:
    """Load the tensors that a model keeps in files beside it."""
    names = _outside(onnx, model)
    missing = [name for name in names if not (path.parent / name).is_file()]
    if missing:
        raise InputError(
            f"{shown(path)} keeps its weights in {listed(missing, 3)}, which {'is' if len(missing) == 1 else 'are'} "
            f"not beside it; put {'that file' if len(missing) == 1 else 'those files'} into {shown(path.parent)}"
        )
    if not names:
        return
    try:
        onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
    except Exception as error:
        reason = first_line(error, 160)
        raise InputError(
            f"cannot read the weights of {shown(path)} in {listed(names, 3)}: {reason}; get fresh copies"
        ) from error


def _outside(onnx: Any, model: Any) -> list[str]:
    """The files that tensors are in: initializers, and what nodes hold, in branches and local functions too."""
    tensors, graphs = [*model.graph.initializer], [model.graph, *model.functions]
    while graphs:
        for attribute in (attribute for node in graphs.pop().node for attribute in node.attribute):
            inner = [attribute.g, *attribute.graphs]
            tensors += [attribute.t, *attribute.tensors, *(tensor for graph in inner for tensor in graph.initializer)]
            graphs += inner
    outside = [tensor for tensor in tensors if tensor.data_location == onnx.TensorProto.EXTERNAL]
    found = [{entry.key: entry.value for entry in tensor.external_data} for tensor in outside]
    return sorted({entries.get("location") or "a file without a name" for entries in found})
