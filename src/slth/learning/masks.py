"""Masks on the user's own model: `attach` puts them there, `detach` takes them away, a ticket is what they found.

A mask is a parametrization of a frozen tensor: the model's code is untouched, wherever the layer is nested, and nobody
writes into a weight during a forward pass. The frozen values come from streams, so a seed regenerates them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from slth._errors import InputError
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.model_state import ModelState
from slth.learning.policy import Policy, norm_parameters
from slth.ticket import Inputs, Ticket

TrainingLoss = Callable[[], float | Tensor]


class Progress(Protocol):
    """What a method does in a loop of the user's own; see `slth.learning.loop`."""

    @property
    def kinds(self) -> list[str]: ...
    def step(self, masks: "Masks", done: float, loss: TrainingLoss | None) -> bool: ...
    def ticket(self, masks: "Masks", inputs: Inputs | None, data: str | None) -> Ticket: ...


class Masks:
    """The handle that `attach` returns.

    A loop of one's own: an optimiser over `parameters`; after each of its steps `step`; at the end `ticket`.

    Attributes:
        tensors: the masked parameters, in the order of `model.modules()`.
        left_out: why a parameter is not masked, by name: all those that are in no mask.
        replaced: (parent, name, module that stood there) of every module that a method has replaced: see `detach`.
    """

    def __init__(
        self,
        model: nn.Module,
        seed: int,
        policy: Policy,
        *,
        tensors: Sequence[MaskedParameter],
        before: ModelState,
        left_out: Mapping[str, str],
        progress: Progress,
    ):
        self.model = model
        self.seed = seed
        self.policy = policy
        self.tensors = tuple(tensors)
        self.left_out = dict(left_out)
        self.replaced: list[tuple[nn.Module, str, nn.Module]] = []
        self._before: ModelState | None = before
        self._progress = progress

    def __iter__(self) -> Iterator[MaskedParameter]:
        return iter(self.tensors)

    def __repr__(self) -> str:
        if self._before is None:
            return f"Masks(taken off; {len(self.tensors)} tensors, {self.size:,} weights, seed {self.seed})"
        everything = self._before.size
        share = f"{1000 * self.size // everything / 10:g}% of all {everything:,} parameters masked"  # rounded down
        return f"Masks({len(self.tensors)} tensors, {self.kept:,} of {self.size:,} weights, {share}, seed {self.seed})"

    @property
    def size(self) -> int:
        """Masked weights."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def kept(self) -> int:
        """Weights that the masks keep now."""
        return sum(int(tensor.mask.chosen().sum()) for tensor in self.tensors)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """What trains, for an optimiser: scores or weights, and the biases and norms that the policy lets train.

        A method that trains weights first and scores then has both here; those whose time it is not have no gradient,
        which the optimisers of PyTorch pass over.
        """
        self._check_attached()
        return [
            *(parameter for kind in self._progress.kinds for parameter in self._of_kind(kind)),
            *self.biases_and_norms,
        ]

    def step(self, done: float, loss: TrainingLoss | None = None) -> bool:
        """Tell the method how far the training is: once after each step of the optimiser.

        Densities fall, weights are projected, a round of pruning ends: the same as in a search. Nothing happens where
        a method has no schedule.

        Args:
            done: the fraction of all steps that is done, from above 0 to 1.
            loss: called without arguments where a method chooses among masks, which is at the end of a stage: the
                training loss of the model as it is then, in evaluation mode. Only such methods need it.

        Returns:
            Whether something else trains from here on, or the same from other values: then a new optimiser over
            `parameters` has no momentum of before, and may have another rate.

        Raises:
            InputError: no number from 0 to 1; with a schedule, one below the last, one after 1, or steps so long that
                a stage of the method would have none; what a method refuses at its end.

        >>> from slth.learning import Magnitude, attach
        >>> masks = attach(nn.Sequential(nn.Linear(8, 4)), Magnitude(density=0.5, rate=1.0))
        >>> [(masks.step(done), masks.kept) for done in (0.25, 0.5, 0.75, 1.0)]
        [(False, 32), (True, 16), (False, 16), (False, 16)]
        """
        self._check_attached()
        return self._progress.step(self, done, loss)

    def ticket(self, inputs: Inputs | None = None, data: str | None = None) -> Ticket:
        """What the masks are now, as a ticket: what `slth.search` writes, after the same checks; see `slth.save`.

        Args:
            inputs: shape, mean and deviation of what the model takes, such as `slth.ticket.Inputs((1, 28, 28))`: it
                was trained on (x − mean) / std. `slth.evaluate` goes by it.
            data: the name of the training data, for the record.

        The network is by name if `slth` built the model, else the user's own. The model stays as it is; a weight that
        moved is set to W₀ + Δ, Δ in float32, as the ticket has it.

        Raises:
            InputError: a method whose `step` has not come to 1; a layer that keeps nothing; scores or weights that are
                not finite; weights that moved where nothing but masks may; inputs that a named network does not take.
        """
        self._check_attached()
        return self._progress.ticket(self, inputs, data)

    @property
    def scores(self) -> list[nn.Parameter]:
        """The scores alone, without biases and norms that train; none where a method has no scores."""
        return [tensor.mask.scores for tensor in self.tensors if tensor.mask.scores is not None]

    @property
    def originals(self) -> list[nn.Parameter]:
        """The frozen weights."""
        return [tensor.original for tensor in self.tensors]

    @property
    def pooled(self) -> list[MaskedParameter]:
        """The tensors that have no density of their own: a global selection chooses among their weights.

        Raises:
            InputError: the policy shares the density out among layers, which a global selection does by itself.
        """
        if self.policy.allocation != "uniform":
            raise InputError(
                "a global selection chooses the density of every layer, and so does allocation="
                f"{self.policy.allocation!r}; use one of the two"
            )
        return [tensor for tensor in self.tensors if tensor.pooled]

    @property
    def biases_and_norms(self) -> list[nn.Parameter]:
        """Those that train beside what is masked, as the policy says; each once."""
        parameters: list[nn.Parameter] = []
        if self.policy.norms == "train":
            parameters += [parameter for _, parameter in norm_parameters(self.model)]
        if self.policy.biases == "train":
            parameters += [bias for tensor in self.tensors for bias in tensor.biases]
        return list({id(parameter): parameter for parameter in parameters}.values())

    def move(self, what: str) -> list[nn.Parameter]:
        """Let "scores" or "weights" train, with biases and norms where the policy says so; the parameters that do."""
        moving = [*self._of_kind(what), *self.biases_and_norms]
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        for parameter in moving:
            parameter.requires_grad_(True)
        return moving

    def _of_kind(self, kind: str) -> list[nn.Parameter]:
        return self.scores if kind == "scores" else self.originals

    def redraw(self, time: int) -> None:
        """Fresh random weights from the streams "path@time", under masks that do not depend on the weights."""
        self.tensors = tuple(replace(tensor, redraw=time) for tensor in self.tensors)
        self.rewind()

    def rewind(self) -> None:
        """Every masked weight back to the value its stream gives."""
        with torch.no_grad():
            for tensor in self.tensors:
                tensor.original.copy_(tensor.values())

    def moves(self, tensor: MaskedParameter, *, limit: float | None = None) -> Tensor | None:
        """Δ = W − W₀ in float32, clipped to ±limit; W becomes W₀ + Δ, so that Δ says all. None if nothing moved."""
        start = tensor.drawn()
        with torch.no_grad():
            now = tensor.original.detach().cpu()
            if torch.equal(now, start):
                return None
            delta = now - start
            if limit is not None:
                delta = delta.clamp(-bound32(limit), bound32(limit))
            tensor.original.copy_(start + delta)
        return delta

    def detach(self, *, restore: bool = False) -> nn.Module:
        """Take the masks off. The layers keep the masked weights; with `restore` the model is as before `attach`.

        Either way the parameters are the same objects as before, in the same order, and train if they did.
        """
        before = self._check_attached()
        for tensor in self.tensors:
            tensor.mask.train(False)  # the final mask, no draw
            location = tensor.location
            parametrize.remove_parametrizations(location.module, location.name, leave_parametrized=True)
            for _, module, name in location.aliases:
                parametrize.remove_parametrizations(module, name, leave_parametrized=False)
        if restore:
            for parent, name, module in reversed(self.replaced):
                setattr(parent, name, module)
        before.put_back(values=restore)
        self._before = None
        return self.model

    def _check_attached(self) -> ModelState:
        """The model as it was before; refused once the masks are off."""
        if self._before is None:
            raise InputError("these masks were taken off before; attach new ones")
        return self._before


def bound32(limit: float) -> float:
    """The largest float32 that is at most a limit.

    >>> bound32(0.1) <= 0.1 < bound32(0.1) + 1e-8
    True
    """
    near = np.float32(limit)
    return float(near if float(near) <= limit else np.nextafter(near, np.float32(-np.inf)))
