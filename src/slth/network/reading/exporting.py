"""`torch.export` of a module in evaluation mode, with a batch of any size; the module stays as it was."""

import inspect
import linecache
import os
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export
from torch.utils import _pytree as pytree

from slth._errors import InputError
from slth.network.reading.calling import output_of, switched_off
from slth.network.reading.quiet import quiet
from slth.network.reading.words import first_line, shown

BATCH = 2  # of the example; an example of one would be taken for a constant
COMPUTES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)  # types that operators take
ATEN: Any = torch.ops.aten
IN_PLACE = {
    ATEN.relu_.default: ATEN.relu.default,
    ATEN.add_.Tensor: ATEN.add.Tensor,
    ATEN.silu_.default: ATEN.silu.default,
    ATEN.hardtanh_.default: ATEN.hardtanh.default,
}
NEW = {  # operators that give a value in memory of its own
    ATEN.conv1d.default,
    ATEN.conv2d.default,
    ATEN.conv3d.default,
    ATEN.linear.default,
    ATEN.batch_norm.default,
    ATEN.max_pool2d.default,
    *IN_PLACE.values(),
}
_PLAIN = (
    "abs adaptive_avg_pool2d clamp div.Tensor einsum elu embedding erf exp flatten.using_ints gelu gt.Scalar "
    "hardsigmoid hardswish layer_norm leaky_relu lt.Scalar masked_fill.Scalar max.other maximum minimum mul.Tensor neg "
    "pow.Tensor_Scalar reciprocal relu6 rsub.Scalar scaled_dot_product_attention sigmoid sign softmax.int softplus "
    "square sub.Tensor tanh threshold where.self zeros_like"
)
# Operators that overwrite nothing, and which decompositions leave as they are, or to be read the same way.
PLAIN = NEW | {
    getattr(getattr(ATEN, name), overload or "default")
    for name, _, overload in (operator.partition(".") for operator in _PLAIN.split())
}

_ALONE = "; or take its layers by themselves, of which coefficients alone are claimed: --layers-only"


@contextmanager
def untouched(model: nn.Module) -> Generator[None]:
    """Evaluation mode inside; afterwards flags, attributes, buffers and the random state are what they were."""
    modules = [(module, dict(vars(module))) for module in model.modules()]
    registries = [(part, dict(part)) for _, own in modules for part in own.values() if isinstance(part, dict)]
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    state = torch.get_rng_state()
    try:
        try:
            model.eval()
        except NotImplementedError as error:  # what torch.export gives
            raise InputError(
                "the model is an exported program, which has no evaluation mode; pass the module that it was "
                "exported from"
            ) from error
        for module, own in modules:
            if own.get("_compiled_call_impl") is not None:
                vars(module)["_compiled_call_impl"] = None
        with torch.no_grad():
            yield
    finally:
        for module, own in modules:
            vars(module).clear()
            vars(module).update(own)
        for registry, content in registries:  # parameters, hooks, children; the same objects, handles point at them
            if [*registry] != [*content] or any(registry[key] is not content[key] for key in content):
                registry.clear()
                registry.update(content)
        with torch.no_grad():
            for buffer, value in buffers:
                if not torch.equal(buffer, value):
                    buffer.copy_(value)
        torch.set_rng_state(state)


def example_of(model: nn.Module, shape: tuple[int, ...], tokens: np.ndarray | None = None) -> Tensor:
    """Inputs of the model's own device: in its own type, normal random numbers, the same each time; or given tokens."""
    first = next((tensor for tensor in (*model.parameters(), *model.buffers()) if tensor.dtype in COMPUTES), None)
    device = torch.device("cpu") if first is None else first.device
    if tokens is not None:
        return torch.from_numpy(np.resize(tokens, (BATCH, *shape)).astype(np.int64)).to(device)
    dtype = torch.float32 if first is None else first.dtype
    return torch.randn(BATCH, *shape, generator=torch.Generator().manual_seed(0)).to(device, dtype)


def _packed(model: nn.Module) -> bool:
    """forward(self, *inputs): the input is inside a tuple."""
    try:
        parameters = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return False
    return bool(parameters) and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL


def exported(model: nn.Module, x: Tensor) -> ExportedProgram:
    """The operators that a model runs, functional, for any size of the batch.

    Raises:
        InputError: control flow that depends on the data or on the batch, state that changes, Python that PyTorch
            cannot follow.
    """
    try:
        with quiet():
            free: Any = {0: Dim.DYNAMIC}
            off = switched_off(model)
            shapes: Any = ((free,),) if _packed(model) else (free,)
            shapes = {**dict.fromkeys(off), _first_argument(model): free} if off else shapes
            program = export(model, (x.clone(),), kwargs=off, dynamic_shapes=shapes)
            if not _plain(program):
                program = program.run_decompositions({})
    except Exception as error:  # torch.export raises some thirty types
        raise InputError(f"the model cannot be exported: {_reason(error, model)}{_ALONE}") from error
    for spec in program.graph_signature.output_specs:
        if spec.kind.name in ("BUFFER_MUTATION", "PARAMETER_MUTATION"):
            raise InputError(
                f"the model changes its own {spec.kind.name.partition('_')[0].lower()} {shown(spec.target)} when it "
                "runs; a network must compute the same each time"
            )
        if spec.kind.name == "USER_INPUT_MUTATION":
            raise InputError(
                "the model overwrites its input, as x *= 2 and ReLU(inplace=True) in front do; a network leaves it as "
                "it is: x = x.clone() first, or inplace=False"
            )
    for bounds in program.range_constraints.values():
        if bounds.upper < 2**31:
            raise InputError(
                "what the model computes depends on the size of the batch (a branch on x.shape[0]); it must treat "
                "every example alike"
            )
    return program


def chosen_output(program: ExportedProgram) -> int | None:
    """Which of a program's outputs is the model's, see `output_of`; None: that is not said."""
    spec = program.call_spec.out_spec
    assert spec is not None
    places = range(spec.num_leaves)
    taken = [i if argument is not None else None for i, argument in enumerate(_outputs_of(program))]
    found: Any = pytree.tree_unflatten([taken[i] for i in places], spec)
    for key in output_of(found) or ():
        found = found[key]
    return found if isinstance(found, int) else None


def _outputs_of(program: ExportedProgram) -> list[Any]:
    """What the user is given, in order; None where that is nothing."""
    (node,) = (node for node in program.graph.nodes if node.op == "output")
    kinds = [spec.kind.name for spec in program.graph_signature.output_specs]
    return [argument for argument, kind in zip(node.args[0], kinds, strict=True) if kind == "USER_OUTPUT"]


def _first_argument(model: nn.Module) -> str:
    return next(iter(inspect.signature(model.forward).parameters))


def _plain(program: ExportedProgram) -> bool:
    """Whether every operator is one that decompositions, which take twice as long, leave to be read the same way.

    If so, operators that overwrite a new value that nothing else reads become those that give one.
    """
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    if not all(node.target in PLAIN or _overwrites_new(node) for node in nodes):
        return False
    if any(node.target is ATEN.batch_norm.default and (node.args[3] is None or node.args[5]) for node in nodes):
        return False  # statistics of the batch
    for node in nodes:
        node.target = IN_PLACE.get(node.target, node.target)
    return True


def _overwrites_new(node: Any) -> bool:
    """It overwrites a value in memory of its own, which nothing else reads; perhaps not as the first."""
    while node.target in IN_PLACE:
        node = node.args[0]
        if getattr(node, "op", "") != "call_function" or len(node.users) != 1:
            return False
        if node.target in NEW:
            return True
    return False


def _reason(error: Exception, model: nn.Module) -> str:
    text, place = str(error), _place(error, model)
    if "DataDependent" in type(error).__name__ or "data-dependent" in text or "Dynamic control flow" in text:
        return (
            f"its control flow depends on the data (an if, a loop or .item() on a tensor){place}; a network that takes "
            "the same steps for every input is read, also such parts of this one, by themselves"
        )
    if "specialized" in text or "Constraints violated" in text or "ConstraintViolation" in type(error).__name__:
        return (
            "it fixes the size of the batch, as len(x) does, and a loop over x; it must take batches of any size: "
            "x.shape[0]"
        )
    return f"{type(error).__name__}: {first_line(error).rstrip('.')}{place}"


def _place(error: Exception, model: nn.Module) -> str:
    """The last line of a module's own code on the way to an error; "" if there is none."""
    paths = {id(module): path for path, module in model.named_modules()}
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = frame.f_code.co_filename
        module = next((frame.f_locals.get(name) for name in frame.f_code.co_varnames[:1]), None)  # self
        if id(module) in paths and f"{os.sep}torch{os.sep}" not in file:
            code = shown(linecache.getline(file, line).strip(), 80)
            where = f"{shown(paths[id(module)]) or 'the model'} ({type(module).__name__})"
            return f", at {where}, line {line} of {shown(Path(file).name)}, `{code}`"
    return ""
