"""The ticket: a pruned random network as a seed, what is kept of it, and what it claims."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np
from jaxtyping import Bool, Float32

from slth._errors import InputError
from slth._shapes import Bits, Draws
from slth.certificate import Certificate
from slth.graph import Graph, Linear, Product, Realised, check_copies, copies_made, shapes, token_count
from slth.numerics import at_most, check_seed
from slth.ticket.agreement import check_layers, check_tokens
from slth.ticket.buffers import ones
from slth.ticket.carried import check_carried, dtype_name, unseeded_numbers
from slth.ticket.effective import effective_blocks
from slth.ticket.exact import check_exact
from slth.ticket.gadgets import Copies, Gadget, Merged, Moves, Neurons, TwoLayer, bits_of, check_grid, exactly_kept
from slth.ticket.inputs import Inputs
from slth.ticket.network import Network, network_name
from slth.ticket.provenance import Provenance
from slth.ticket.realise import realise
from slth.ticket.stored_tensors import check_kept, check_mask, check_move, check_packed, differ
from slth.ticket.tensors import RandomTensor, check_text, check_trained


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A pruned random network: a seed, what is kept of it, what it claims. Nobody sees how it was found.

    Gadgets make linear maps out of random tensors of their own; without gadgets the random tensors are the parameters.
    `FORMAT.md` describes the file. Checked when made.

    Raises:
        InputError: parts that contradict each other, or hold NaN or infinity; a name that stands twice.
    """

    seed: int
    network: Network  # a Graph, rebuilt by name, or the user's
    gadgets: Mapping[str, Gadget]  # by map
    inputs: Inputs | None
    tensors: tuple[RandomTensor, ...]
    masks: Mapping[str, Bits]  # packed, by tensor; none where all is kept, or where what is kept follows from the seed
    heads: Mapping[str, str]  # by tensor: SHA-256 of its first 4,096 values draw · scale
    digests: Mapping[str, str]  # SHA-256 of realised coefficients, by map; of effective weights, by tensor
    claims: Certificate | None
    provenance: Provenance
    moves: Mapping[str, Moves] = field(default_factory=dict[str, Moves])  # Δ of the kept weights in C order, by tensor
    move_bound: float | None = None  # claim: every |Δ| is at most this
    carried: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])  # the rest of the state, as it is
    assumed: tuple[str, ...] = ()  # sentences: what had to be assumed to read the target
    _named: Mapping[str, RandomTensor] = field(init=False, repr=False)  # tensors by path and by alias

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))
        paths = {tensor.path for tensor in self.tensors}
        if not paths or set(self.heads) != paths:
            raise InputError("a ticket needs at least one random tensor, and a head of each")
        if set(self.digests) != (set(self.gadgets) or paths):
            raise InputError("a ticket needs a digest of each of its maps, or of each tensor where there are no maps")
        for what, mapping in (("a mask", self.masks), ("a move", self.moves)):
            if set(mapping) - paths:
                raise InputError(f"{what} is stored for {min(set(mapping) - paths)[:200]!r}, which is no random tensor")
        if self.move_bound is not None and not (math.isfinite(self.move_bound) and self.move_bound > 0):
            raise InputError(f"a bound on moves must be a positive number, or None for no claim; got {self.move_bound}")
        if isinstance(self.network, Graph) and self.inputs is not None:
            shapes(self.network, self.inputs.shape, self.carried)
            check_tokens(token_count(self.network, self.carried), self.inputs.tokens)
        if self.gadgets:
            self._check_gadgets()
        else:
            for tensor in self.tensors:
                check_trained(tensor)
                check_mask(tensor, self.masks.get(tensor.path))
                check_move(tensor, self.moves.get(tensor.path))
        self._check_maps()
        for name, values in self.carried.items():
            check_carried(name, values)
        for sentence in self.assumed:
            check_text(sentence, "what was assumed", 1000)
        self._check_names()

    def _check_gadgets(self) -> None:
        if list(self.gadgets) != list(self.maps):
            ours, theirs = (", ".join(paths)[:150] for paths in (self.maps, self.gadgets))
            raise InputError(f"expected a gadget for each map, {ours or 'of which there are none'}; got {theirs}")
        wanted = [tensor for path, op in self.maps.items() for tensor in self.gadgets[path].tensors(path, op)]
        masked = bits_of(self.gadgets, self.maps)
        if len(self.tensors) != len(wanted) or any(map(differ, self.tensors, wanted)):
            raise InputError("the random tensors are not those of the gadgets")
        if not self.joined:
            check_layers(self.maps, self.gadgets, names=self.provenance.names, carried=self.carried)
        elif self.copies and isinstance(self.network, Graph):
            check_copies(self.network, self.copies)
        kept = {tensor.path: tensor.kept for tensor in self.tensors}
        for path, op in self.maps.items():
            for tensor, wanted_ones in exactly_kept(self.gadgets[path], path, op).items():
                if kept[tensor] != wanted_ones:
                    raise InputError(
                        f"{tensor}: if every coefficient keeps as many candidates as the ticket says, {wanted_ones} "
                        f"are kept; the ticket says {kept[tensor]}"
                    )
        for tensor in self.tensors:
            check_packed(tensor, masked.get(tensor.path), self.masks.get(tensor.path))
            check_move(tensor, self.moves.get(tensor.path))
            if tensor.moved and (tensor.law != "uniform" or any(other.stream == tensor.path for other in self.tensors)):
                raise InputError(f"{tensor.path}: numbers of a gadget move only if they are uniform and in no pairs")
            if tensor.moved:
                check_grid(tensor.path, self.moves[tensor.path], self.move_bound)
        by_path = {tensor.path: tensor for tensor in self.tensors}
        for path, op in self.maps.items():
            for tensor, count in self.gadgets[path].entries(path, op, self.masks).items():
                given = by_path[tensor]
                if given.stream in masked and given.kept != count:
                    raise InputError(f"{tensor}: of each mirrored pair exactly one is kept; it says {given.kept}")
                check_kept(given, count)
                if given.moved and (tensor not in masked or not isinstance(self.gadgets[path], TwoLayer)):
                    raise InputError(f"{tensor}: numbers of the gadget {self.gadgets[path].kind} do not move here")

    def _check_maps(self) -> None:
        """What is said of maps is said of those there are."""
        maps = list(self.maps)
        if self.claims is not None and list(self.claims.maps) != maps:
            theirs = ", ".join(self.claims.maps)[:150]
            raise InputError(f"claims about {theirs}; the ticket has the maps {', '.join(maps)[:150] or '(none)'}")
        if self.claims is not None and self.claims.exact is not None:
            types = {name: (dtype_name(values) or "", values.shape) for name, values in self.carried.items()}
            check_exact(self.claims.exact, self.maps, types)
        origin = self.provenance
        spoken = (*origin.names, *origin.folded, *(miss.map for miss in origin.misses))
        unknown = next((path for path in spoken if path not in self.maps), None)
        if unknown is not None:
            raise InputError(f"the provenance speaks of a map {unknown[:200]!r}, which the ticket does not have")

    def _check_names(self) -> None:
        names = [path for tensor in self.tensors for path in (tensor.path, *tensor.aliases)] + [*self.carried]
        streams = [tensor.stream_path for tensor in self.tensors if not (self.gadgets and tensor.stream)]  # no mirrors
        runs = [f"{tensor.path}.{kind}" for tensor in self.tensors for kind in ("mask", "move")]
        runs += [f"carried/{name}" for name in self.carried]
        for what, listed in (("parameters", names), ("streams", streams), ("parts of the file", runs)):
            if len(set(listed)) != len(listed):
                twice, _ = Counter(listed).most_common(1)[0]
                raise InputError(f"two {what} are called {twice[:200]!r}; every name stands once")
        named = {path: tensor for tensor in self.tensors for path in (tensor.path, *tensor.aliases)}
        object.__setattr__(self, "_named", named)

    @property
    def maps(self) -> Mapping[str, Linear]:
        """The linear maps of a network that is spelled out, by path; a map that is used twice stands once."""
        return self.network.maps if isinstance(self.network, Graph) else {}

    @property
    def joined(self) -> bool:
        """Whether it is known how its parts make a network; not of the layers of a model whose graph was not read."""
        return not isinstance(self.network, Graph) or self.network.joined

    @property
    def copies(self) -> Mapping[str, int]:
        """Of the maps that read copies, how many of each channel; see `slth.graph.with_copies`."""
        return {path: gadget.copies for path, gadget in self.gadgets.items() if isinstance(gadget, Copies)}

    @property
    def copies_made(self) -> Mapping[str, int]:
        """By map, how many copies of each of its outputs are read; empty where there are none."""
        return copies_made(self.network, self.copies) if isinstance(self.network, Graph) and self.copies else {}

    @property
    def merged(self) -> Mapping[str, Product]:
        """Of the maps that merge projections of an attention, what they stand for; see `slth.graph.with_merged`."""
        gadgets = self.gadgets.items()
        return {path: Product(gadget.part, gadget.weights) for path, gadget in gadgets if isinstance(gadget, Merged)}

    @property
    def size(self) -> int:
        """Every entry of the random tensors, pruned, dead and off-block ones included."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def kept(self) -> int:
        """Entries that are not pruned."""
        return sum(tensor.kept for tensor in self.tensors)

    @property
    def density(self) -> float:
        """Kept entries of the random tensors ÷ all of them."""
        return self.kept / self.size

    @property
    def target_parameters(self) -> int:
        """Parameters of the network that the maps realise, biases included; 0 where there are no maps."""
        return sum(self.target_weights(path) for path in self.maps)

    def target_weights(self, path: str) -> int:
        """Parameters of the target's map, biases included: of copies one; of merged ones those of the projections."""
        if path in self.merged:
            return self.merged[path].weights
        op, made = self.maps[path], self.copies_made.get(path, 1)
        rows, inputs, taps = op.coefficients
        return (rows * inputs * taps // self.copies.get(path, 1) + (op.basis.outputs if op.bias else 0)) // made

    @property
    def mask_bits(self) -> int:
        """Mask bits before they are coded."""
        if self.gadgets:
            return sum(self.gadgets[path].cost(op).mask_bits for path, op in self.maps.items())
        return sum(tensor.mask_bits for tensor in self.tensors)

    @property
    def carried_numbers(self) -> int:
        """Numbers stored beside the masks: the carried arrays, and gains other than 1. Moves do not count."""
        return sum(values.size for values in self.carried.values()) + sum(t.gain != 1.0 for t in self.tensors)

    @property
    def misses(self) -> int:
        """Coefficients that no subset of their candidates reaches within the tolerance, as the ticket counts them.

        Of an exact ticket, those that are not the target's number.
        """
        if self.claims is None:
            return 0
        return self.claims.misses if self.claims.exact is None else self.claims.exact.differ

    @property
    def moved(self) -> bool:
        """A random number moved; by how much is stored."""
        return any(tensor.moved for tensor in self.tensors)

    @property
    def unseeded_numbers(self) -> int:
        """Carried numbers that neither a stream nor a rule gives, where random tensors are parameters: weights left as
        a library initialised them, biases that trained. Zeros, ones and the statistics of norms do not count.
        """
        return 0 if self.gadgets else unseeded_numbers(self.carried)

    @property
    def strong(self) -> bool:
        """Nothing but a mask was chosen: no random number moved, and none is carried that no stream made."""
        return not self.moved and not self.unseeded_numbers

    @property
    def largest_move(self) -> float:
        """max |Δ|, exact; 0 if nothing moved."""
        return max((float(np.abs(move).max()) for move in self.moves.values()), default=0.0)

    def realised(self, path: str, *, threads: int = 1) -> Realised:
        """The coefficients a map realises, regenerated from seed and mask: exact, for any number of threads."""
        if path not in self.gadgets:
            raise InputError(f"no map is called {path!r}; the ticket has {', '.join(self.gadgets)[:300] or 'none'}")
        gadget, op = self.gadgets[path], self.maps[path]
        return realise(gadget, path, op, seed=self.seed, masks=self.masks, moves=self.moves, threads=threads)

    def kept_parameters(self) -> int:
        """Surviving edges of lift and mixing layers, neurons without a kept edge removed."""
        used = sum(map(self._edges, self.maps))
        for path, op in self.maps.items():
            gadget = self.gadgets[path]
            for stage in range(gadget.stage_count):
                serving = np.zeros((2, gadget.live(op, stage=stage)), np.bool_)  # neurons, and their mirrors
                for block in gadget.problems(path, op, self.seed, stage=stage):
                    kept = block.kept(self.masks)
                    serving[0, block.columns] |= kept.any(axis=1)
                    serving[1, block.columns] |= block.centred & ~kept.all(axis=1)
                used += int(np.count_nonzero(serving))
        return used

    def map_mask(self, path: str, *, stage: int = 0) -> Bool[np.ndarray, "w live"]:
        """The mask of a map: a row for each (row, tap), a column for each live neuron. A byte for each bit."""
        gadget, op = self.gadgets[path], self.maps[path]
        bits = self.masks[list(gadget.mask_bits(path, op))[stage]]
        return gadget.mask(path, op, seed=self.seed, bits=bits, stage=stage)

    def map_moves(self, path: str, *, stage: int = 0) -> Float32[np.ndarray, "w live"]:
        """How far each of those random numbers moved; 0 where it is pruned. 4 bytes for each bit."""
        mask, tensor = (
            self.map_mask(path, stage=stage),
            list(self.gadgets[path].mask_bits(path, self.maps[path]))[stage],
        )
        found = np.zeros(mask.shape, np.float32)
        if tensor in self.moves:
            found[mask] = self.moves[tensor]
        return found

    def tensor(self, path: str) -> RandomTensor:
        """The random tensor at a path, or at one of its aliases."""
        if path not in self._named:
            known = ", ".join(tensor.path for tensor in self.tensors)
            raise InputError(f"no masked tensor is called {path!r}; the ticket has {known[:300]}")
        return self._named[path]

    def mask(self, path: str) -> Bool[np.ndarray, "..."]:
        """The mask of a tensor that is a parameter, bool of its shape."""
        tensor = self.tensor(path)
        if tensor.path not in self.masks:
            return np.ones(tensor.shape, np.bool_)
        bits = np.unpackbits(self.masks[tensor.path], count=tensor.size, bitorder="little")
        return bits.view(np.bool_).reshape(tensor.shape)

    def effective(self, path: str) -> Draws:
        """The weights that a tensor computes with, regenerated: float32 of its shape. O(size)."""
        tensor = self.tensor(path)
        blocks = effective_blocks(tensor, self.seed, self.masks.get(tensor.path), self.moves.get(tensor.path))
        return np.concatenate(list(blocks)).reshape(tensor.shape)

    @property
    def candidates_kept(self) -> int:
        """Kept candidates of the gadgets."""
        return sum(map(self.map_candidates_kept, self.gadgets))

    @property
    def candidate_count(self) -> int:
        """Candidates of the gadgets."""
        return sum(map(self.map_candidates, self.gadgets))

    def map_candidates(self, path: str) -> int:
        """What the masks of a map choose from.

        Random products that are added up for coefficients: one for each bit, of mirrored pairs two. Where a bit keeps
        a neuron, neurons.
        """
        gadget, op = self.gadgets[path], self.maps[path]
        mixed = gadget.mask_bits(path, op)
        return sum(mixed.get(tensor.path, 0) + mixed.get(tensor.stream, 0) for tensor in gadget.tensors(path, op))

    def map_candidates_kept(self, path: str) -> int:
        """How many of these are kept."""
        if isinstance(self.gadgets[path], Neurons):
            return sum(ones(self.masks[tensor]) for tensor in self.gadgets[path].mask_bits(path, self.maps[path]))
        return self._edges(path)

    def _edges(self, path: str) -> int:
        """Entries of the mixing layers of a map that are kept."""
        gadget, op = self.gadgets[path], self.maps[path]
        mixed, own = gadget.mask_bits(path, op), [self.tensor(tensor.path) for tensor in gadget.tensors(path, op)]
        return sum(tensor.kept for tensor in own if tensor.path in mixed or tensor.stream in mixed)

    @property
    def signed_channels(self) -> tuple[int, int]:
        """Input channels of the maps that can be negative; and all of them."""
        signed = sum(int(self.gadgets[path].signed(op).sum()) for path, op in self.maps.items())
        return signed, sum(op.basis.inputs for op in self.maps.values())

    @property
    def linear_maps(self) -> tuple[str, ...]:
        """Maps with a linear lift, whose weights are one subset each, whatever the signs of their inputs."""
        return tuple(path for path, gadget in self.gadgets.items() if gadget.linear)

    def _repr_html_(self) -> str:
        """A short table, as notebooks show it."""
        bound = None if self.claims is None else self.claims.sup_error
        rows = [("network", network_name(self.network)), ("seed", str(self.seed))]
        if self.gadgets:
            bits = self.mask_bits / self.target_parameters
            rows += [
                ("tolerance", "" if self.claims is None else self.claims.tolerance_text),
                ("target weights", f"{self.target_parameters:,}, {bits:.1f} mask bits each"),
                ("misses", f"{self.misses:,}"),
                ("difference of any output", "no bound" if bound is None else f"at most {at_most(bound)}"),
            ]
        else:
            rows += [
                ("method", self.provenance.method),
                ("kept", f"{self.kept:,} of {self.size:,} weights, density {self.density:.6g}"),
                ("moved", f"by at most {at_most(self.largest_move)}" if self.moved else "nothing"),
                ("strong", "yes" if self.strong else "no"),
            ]
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
        return f"<table>{cells}</table>"

    @property
    def _kind(self) -> str:
        return "moved" if self.moved else "strong" if self.strong else f"{self.unseeded_numbers:,} numbers of no stream"

    def __repr__(self) -> str:
        name = network_name(self.network)
        if self.claims is not None and self.gadgets:
            bits = self.mask_bits / self.target_parameters
            return (
                f"Ticket({name}, seed {self.seed}, tolerance {self.claims.tolerance_text}, "
                f"{bits:.1f} bits per target weight, {self.misses} misses)"
            )
        return (
            f"Ticket({name}, seed {self.seed}, {self.provenance.method}, "
            f"{self.kept:,} of {self.size:,} weights kept, {self._kind})"
        )
