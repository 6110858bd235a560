"""A module as an ONNX file, by PyTorch's own exporter: one input `input`, one output `output`, a batch of any size.

The exporter's translation is taken as it is; what changes are names, and the notes for its developers go:
stack traces, which name folders of this machine. So the same ticket gives the same bytes wherever it is written.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.export import Dim, export

from slth._errors import InputError
from slth._version import __version__
from slth.network.reading.exporting import quiet
from slth.network.reading.words import first_line

OPSET = 18
MOST_BYTES = 2**31 - 2**20  # of a protobuf, and room for what is no number
INPUT, OUTPUT, BATCH = "input", "output", "batch"
_NOTES = ("doc_string", "metadata_props")


def model_proto(
    module: nn.Module,
    shape: tuple[int, ...],
    *,
    names: Mapping[str, str],
    said: Mapping[str, str],
    tokens: bool = False,
) -> Any:
    """The ONNX model of a module in evaluation mode.

    Args:
        shape: of one input.
        tokens: inputs are int64; else float32.
        names: what parameters and buffers are called in the file, by their names in the module.
        said: metadata of the model.

    Raises:
        InputError: numbers that no protobuf holds; what the exporter cannot translate.
    """
    check_size(sum(part.numel() * part.element_size() for part in (*module.parameters(), *module.buffers())))
    x = torch.zeros(2, *shape, dtype=torch.int64 if tokens else torch.float32)
    try:
        with quiet(), torch.no_grad():
            program = export(module, (x,), dynamic_shapes=({0: Dim(BATCH)},))
            written = torch.onnx.export(
                program, dynamo=True, opset_version=OPSET, input_names=[INPUT], output_names=[OUTPUT], verbose=False
            )
            proto: Any = None if written is None else written.model_proto
    except Exception as error:  # torch.export and onnxscript raise some thirty types
        raise InputError(
            f"PyTorch {torch.__version__} cannot write this network as ONNX: {type(error).__name__}: "
            f"{first_line(error)}; update torch and onnxscript"
        ) from error
    check_size(proto.ByteSize())
    _strip(proto)
    _rename(proto, names)
    proto.producer_name, proto.producer_version = "slth", __version__
    for key, value in said.items():
        proto.metadata_props.add(key=key, value=value)
    return proto


def check_size(size: int, *, most: int = MOST_BYTES) -> None:
    """So many bytes fit into one protobuf.

    Raises:
        InputError: saying how many there are.
    """
    if size > most:
        raise InputError(
            f"as ONNX this network takes {size / 2**30:.2f} GiB, and one such file holds at most 2 GiB; "
            "write .safetensors, or use slth.realised(ticket)"
        )


def _strip(message: Any) -> None:
    """Takes out all notes, however deep."""
    for field, value in message.ListFields():
        if field.name in _NOTES:
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in value if isinstance(value, Iterable) else (value,):
                _strip(part)


def _rename(proto: Any, names: Mapping[str, str]) -> None:
    """Numbers by readable names, where nothing else is called so; and the size of the batch."""
    graph = proto.graph
    taken = {name for node in graph.node for name in (*node.input, *node.output)} | {INPUT, OUTPUT}
    new: dict[str, str] = {}
    for tensor in graph.initializer:
        wanted = names.get(tensor.name, tensor.name)
        if wanted != tensor.name and wanted and wanted not in taken:
            new[tensor.name] = tensor.name = wanted
            taken.add(wanted)
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name in new:
                node.input[i] = new[name]
    symbol = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.name in new:
            value.name = new[value.name]
        for length in value.type.tensor_type.shape.dim:
            if length.dim_param:
                length.dim_param = length.dim_param.replace(symbol, BATCH)
