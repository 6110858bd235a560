r"""Merged projections: an attention as two matrices per head, queries with keys and values with the output.

For queries q = W_Q x + b_Q, keys k = W_K y + b_K, values v = W_V z + b_V of a head, and its part W_O of the output map,

    logits   ⟨q_t, k_s⟩ = ⟨M x_t + b, y_s⟩ + what does not depend on s     M = W_Kᵀ W_Q,  b = W_Kᵀ b_Q
    output   W_O Σ_s p_ts v_s = U Σ_s p_ts z_s + W_O b_V                   U = W_O W_V

b_K drops out of the softmax, for it moves all logits of a row alike; Σ_s p_ts = 1 takes b_V out of the mean. So the
same function is an attention whose keys are y and whose values are z themselves, one group of them for all heads, and
no map but M and U. A random network realises M by *two* of its matrices, a lift and a mixing layer, which are its query
and its key projection: no layer more than the target has, see `slth.ticket.gadgets.merged`.

A merged map has d² coefficients, where the two that it stands for have 2 d d_head: `times_the_coefficients`. Products
are formed in float64, where they are rounded: `rounding`.

Source: Otsuka, Chijiwa, Okoshi, Fujiki, Takeuchi and Motomura (2025), 2511.04217, section 4. Biases are ours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from slth._errors import InputError
from slth.graph.attended import INSTEAD, Projections, projections_of
from slth.graph.bases import Dense, Shape
from slth.graph.nodes import Graph, Node
from slth.graph.ops import Add, Attention, Concat, Linear, Reshape, Slice
from slth.graph.shapes import shapes
from slth.graph.values import Affine, Target
from slth.numerics import matmul_bound, slack

QUERY_KEY, VALUE_OUTPUT = "query-key", "value-output"  # what a merged map stands for


@dataclass(slots=True)
class _Maps:
    """The merged maps so far; the same parts of the same maps are one, so that what was tied stays tied."""

    target: Target
    named: dict[tuple[tuple[str, bytes], tuple[str, bytes]], str] = field(default_factory=dict[tuple, str])
    coefficients: dict[str, Affine] = field(default_factory=dict[str, Affine])
    kinds: dict[str, str] = field(default_factory=dict[str, str])
    rounding: dict[str, float] = field(default_factory=dict[str, float])

    def query_key(self, found: Projections, head: int) -> Linear:
        """M and b of a head."""
        q, k = found.queries, found.keys
        path = self._named((q.key(head), k.key(head // found.group)), f"{q.path}/{QUERY_KEY}", QUERY_KEY)
        if path not in self.coefficients:
            w, v = (self.target.coefficients[side.path] for side in (q, k))
            rows, others = q.indices[head], k.indices[head // found.group]
            keys = v.weight[others, :, 0].T
            bias = None if w.bias is None else w.bias[rows, None]
            self._put(path, keys, w.weight[rows, :, 0], bias, None)
        return self._op(path)

    def value_output(self, found: Projections, head: int) -> Linear:
        """U of a head; with the first the bias Σ_h W_O b_V + b_O of all."""
        v, o = found.values, found.output
        path = self._named((v.key(head // found.group), o.key(head)), f"{o.path}/{VALUE_OUTPUT}", VALUE_OUTPUT)
        if path not in self.coefficients:
            values, output = (self.target.coefficients[side.path] for side in (v, o))
            rows = v.indices[head // found.group]
            bias = None
            if head == 0 and values.bias is not None:
                bias = values.bias[np.concatenate([v.indices[h // found.group] for h in range(len(o.indices))]), None]
            columns = o.indices.reshape(-1) if bias is not None else o.indices[head]
            self._put(
                path,
                output.weight[:, o.indices[head], 0],
                values.weight[rows, :, 0],
                bias,
                output.bias if head == 0 else None,
                biases=output.weight[:, columns, 0],
            )
        return self._op(path)

    def _named(self, key: tuple[tuple[str, bytes], tuple[str, bytes]], under: str, kind: str) -> str:
        if key not in self.named:
            self.named[key] = f"{under}/{sum(path.startswith(f'{under}/') for path in self.kinds)}"
            self.kinds[self.named[key]] = kind
        return self.named[key]

    def _put(
        self,
        path: str,
        left: np.ndarray,
        right: np.ndarray,
        column: np.ndarray | None,
        added: np.ndarray | None,
        *,
        biases: np.ndarray | None = None,
    ) -> None:
        """left · right, and as its bias biases · column + added; with a bound on what rounding changes of either."""
        bias, lost = added, 0.0
        biases = left if biases is None else biases
        if column is not None:
            bias = (biases @ column)[:, 0] + (0.0 if added is None else added)
            size = matmul_bound(np.abs(biases), np.abs(column))[:, 0] + (0.0 if added is None else np.abs(added))
            lost = float((slack(size, len(column) + 2)).max())
        off = slack(matmul_bound(np.abs(left), np.abs(right)), len(right))
        self.rounding[path] = max(float(off.max()), lost)
        self.coefficients[path] = Affine((left @ right)[:, :, None], bias)

    def _op(self, path: str) -> Linear:
        affine = self.coefficients[path]
        rows, inputs, _ = affine.weight.shape
        return Linear(path, Dense(inputs, rows), affine.bias is not None)


def with_merged(target: Target, *, shape: Shape = ()) -> Target:
    """A target that computes the same function, in real arithmetic, with merged projections in every attention.

    Args:
        shape: of the network's input; (): that of the target.

    Raises:
        InputError: no attention, or one whose projections are no single matrices: rotary positions, normalised
            queries, a projection that something else reads, too; by its node.

    >>> rng = np.random.default_rng(0)
    >>> dense = lambda name, read, out: Node(name, Linear(name, Dense(read, out), False), ("input",))
    >>> nodes = dense("q", 3, 2), dense("k", 3, 2), dense("v", 3, 2)
    >>> attention = Node("attention", Attention(1.0), ("q", "k", "v"))
    >>> output = Node("o", Linear("o", Dense(2, 3), False), ("attention",))
    >>> graph = Graph((*nodes, attention, output))
    >>> weights = {path: Affine(rng.normal(size=op.coefficients), None) for path, op in graph.maps.items()}
    >>> merged = with_merged(Target(graph, weights, (5, 3)))
    >>> list(merged.graph.maps), times_the_coefficients(merged)
    (['q/query-key/0', 'o/value-output/0'], 0.75)
    """
    if target.original is not None:
        raise InputError("this target is rewritten already; give the network that was read")
    if target.tensors:
        raise InputError("an exact ticket gives back the target's own tensors, and merging multiplies them")
    known = shapes(target.graph, shape or target.input_shape, target.carried)
    attentions = [node for node in target.graph.nodes if isinstance(node.op, Attention)]
    if not attentions:
        raise InputError(f"this network has no attention whose projections could be merged; {INSTEAD}")
    found, maps = [projections_of(target.graph, node, known) for node in attentions], _Maps(target)
    replaced: dict[str, tuple[Node, ...]] = {part.node.name: tuple(_queries(part, maps, known)) for part in found}
    replaced |= {part.output.node.name: tuple(_outputs(part, maps, known)) for part in found}
    nodes = [new for node in target.graph.nodes for new in replaced.get(node.name, (node,))]
    graph = Graph(tuple(_read(nodes)))
    gone = {side.path for part in found for side in (part.queries, part.keys, part.values, part.output)}
    kept = gone & set(graph.maps)
    if kept:
        raise InputError(f"{min(kept)} is read outside of the attention, too, so merging would not spare it; {INSTEAD}")
    coefficients = {path: maps.coefficients.get(path) or target.coefficients[path] for path in graph.maps}
    return replace(
        target,
        graph=graph,
        coefficients=coefficients,
        names={path: pair for path, pair in target.names.items() if path in coefficients},
        folded={path: steps for path, steps in target.folded.items() if path in coefficients},
        merged={path: maps.kinds[path] for path in graph.maps if path in maps.kinds},
        rounding=max(maps.rounding.values()),
        original=target,
    )


def times_the_coefficients(target: Target) -> float:
    """Coefficients of merged maps for each one of the projections they stand for; d / (2 d_head) of equal heads."""
    if target.original is None or not target.merged:
        return 1.0
    merged = sum(target.graph.maps[path].weights for path in target.merged)
    rest = target.graph.weights - merged
    return merged / (target.original.graph.weights - rest)


def _queries(part: Projections, maps: _Maps, known: Mapping[str, Shape]) -> Iterator[Node]:
    """In place of an attention: M x of every head, then the same attention over keys y and values z."""
    name, (x, y, z) = part.node.name, (side.node.inputs[0] for side in (part.queries, part.keys, part.values))
    if part.heads is None:
        yield Node(f"{name}/query", maps.query_key(part, 0), (x,))
        yield replace(part.node, inputs=(f"{name}/query", y, z))
        return
    queries: list[str] = []
    for h in range(part.heads):
        op = maps.query_key(part, h)
        yield Node(f"{name}/query/{h}", op, (x,))
        queries.append(f"{name}/queries/{h}")
        yield Node(queries[-1], _one_head((*known[x][:-1], op.basis.outputs)), (f"{name}/query/{h}",))
    if part.heads > 1:
        yield Node(f"{name}/queries", Concat(len(part.lead)), tuple(queries))
        queries = [f"{name}/queries"]
    for side, read in (("keys", y), ("values", z)):
        yield Node(f"{name}/{side}", _one_head(known[read]), (read,))
    yield replace(part.node, inputs=(*queries, f"{name}/keys", f"{name}/values"))


def _one_head(shape: Shape) -> Reshape:
    return Reshape((*shape[:-2], 1, *shape[-2:]))


def _outputs(part: Projections, maps: _Maps, known: Mapping[str, Shape]) -> Iterator[Node]:
    """In place of the output map: U of every head, added up."""
    name, end, heads = part.node.name, part.output.node.name, part.heads
    if heads is None:
        yield Node(end, maps.value_output(part, 0), (name,))
        return
    made = (*part.lead, known[name][-2], known[part.values.node.inputs[0]][-1])
    for h in range(heads):
        own = name
        if heads > 1:
            own = f"{name}/head/{h}"
            yield Node(own, Slice(len(part.lead), h, h + 1), (name,))
        yield Node(f"{name}/attended/{h}", Reshape(made), (own,))
        yield Node(f"{end}/{h}" if heads > 1 else end, maps.value_output(part, h), (f"{name}/attended/{h}",))
    if heads > 1:
        yield Node(end, Add((1.0,) * heads), tuple(f"{end}/{h}" for h in range(heads)))


def _read(nodes: list[Node]) -> list[Node]:
    """Without those that nothing reads any more."""
    read = {nodes[-1].name}
    for node in reversed(nodes):
        if node.name in read:
            read |= set(node.inputs)
    return [node for node in nodes if node.name in read]
