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

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from slth._errors import InputError
from slth.graph.attended import INSTEAD, Heads, Part, Projections, projections_of
from slth.graph.bases import Dense, Shape
from slth.graph.nodes import Graph, Node
from slth.graph.ops import Add, Attention, Concat, Linear, Reshape, Slice
from slth.graph.shapes import shapes
from slth.graph.values import Affine, Product, Target
from slth.numerics import matmul_bound, slack

QUERY_KEY, VALUE_OUTPUT = "query-key", "value-output"  # parts of an attention that a merged map stands for


@dataclass(slots=True)
class _Maps:
    """The merged maps so far; the same parts of the same maps are one, so that what was tied stays tied."""

    target: Target
    named: dict[tuple[Part, Part], str] = field(default_factory=dict[tuple[Part, Part], str])
    coefficients: dict[str, Affine] = field(default_factory=dict[str, Affine])
    products: dict[str, Product] = field(default_factory=dict[str, Product])
    rounding: dict[str, float] = field(default_factory=dict[str, float])
    counted: set[Part] = field(default_factory=set[Part])

    def query_key(self, found: Projections, head: int) -> Linear:
        """M and b of a head."""
        q, k, group = found.queries, found.keys, head // found.group
        path, new = self._named(q.key(head), k.key(group), f"{q.path}/{QUERY_KEY}")
        if new:
            queries, keys = (self.target.coefficients[side.path] for side in (q, k))
            rows, others = q.indices[head], k.indices[group]
            bias = None if queries.bias is None else queries.bias[rows]
            left = keys.weight[others, :, 0].T
            self._put(path, (left, queries.weight[rows, :, 0]), (left, bias), None)
            self.products[path] = Product(QUERY_KEY, self._weights(q, head) + self._weights(k, group))
        return self._op(path)

    def value_output(self, found: Projections, head: int) -> Linear:
        """U of a head; with the first one the bias of all, Σ_h W_O b_V + b_O."""
        v, o, group = found.values, found.output, head // found.group
        path, new = self._named(v.key(group), o.key(head), f"{o.path}/{VALUE_OUTPUT}")
        if new:
            values, output = (self.target.coefficients[side.path] for side in (v, o))
            every = np.repeat(v.indices, found.group, axis=0).reshape(-1)
            bias = None if head or values.bias is None else values.bias[every]
            added = None if head else output.bias
            left = output.weight[:, o.indices[head], 0]
            whole = output.weight[:, o.indices.reshape(-1), 0]
            self._put(path, (left, values.weight[v.indices[group], :, 0]), (whole, bias), added)
            self.products[path] = Product(
                VALUE_OUTPUT, self._weights(v, group) + left.size + (0 if added is None else len(added))
            )
        return self._op(path)

    def _named(self, first: Part, second: Part, under: str) -> tuple[str, bool]:
        """The path of the product of two parts, and whether it is a new one."""
        new = (first, second) not in self.named
        if new:
            count = sum(path.startswith(f"{under}/") for path in self.named.values())
            self.named[first, second] = f"{under}/{count}"
        return self.named[first, second], new

    def _put(
        self,
        path: str,
        factors: tuple[np.ndarray, np.ndarray],
        biases: tuple[np.ndarray, np.ndarray | None],
        added: np.ndarray | None,
    ) -> None:
        """A product, and as its bias another one and a sum; with a bound on what rounding changes of either."""
        (left, right), (whole, column), bias, lost = factors, biases, added, 0.0
        if column is not None:
            more = np.zeros(len(whole)) if added is None else added
            bias = whole @ column + more
            size = matmul_bound(np.abs(whole), np.abs(column)) + np.abs(more)
            lost = float(slack(size, len(column) + 2).max())
        off = slack(matmul_bound(np.abs(left), np.abs(right)), len(right))
        self.rounding[path] = max(float(off.max()), lost)
        self.coefficients[path] = Affine((left @ right)[:, :, None], bias)

    def _weights(self, side: Heads, head: int) -> int:
        """Parameters of one head's rows of a map, where they are met first."""
        if side.key(head) in self.counted:
            return 0
        self.counted.add(side.key(head))
        affine, rows = self.target.coefficients[side.path], len(side.indices[head])
        return rows * (affine.weight.shape[1] + (affine.bias is not None))

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
    graph = Graph(tuple(read_nodes(nodes)))
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
        merged={path: maps.products[path] for path in graph.maps if path in maps.products},
        rounding=max(maps.rounding.values()),
        original=target,
    )


def times_the_coefficients(target: Target) -> float:
    """Coefficients of merged maps for each one of the projections they stand for; d / (2 d_head) of equal heads."""
    if not target.merged:
        return 1.0
    merged = sum(target.graph.maps[path].weights for path in target.merged)
    return merged / sum(product.weights for product in target.merged.values())


def _queries(part: Projections, maps: _Maps, known: Mapping[str, Shape]) -> Iterator[Node]:
    """In place of an attention: M x of every head, then the same attention over keys y and values z."""
    name, (x, y, z) = part.node.name, (side.node.inputs[0] for side in (part.queries, part.keys, part.values))
    queries, keys = (known[read][:-1] for read in part.node.inputs[:2])  # (lead..., head, position)
    if part.heads is not None:
        queries, keys = ((*positions[:-2], 1, positions[-1]) for positions in (queries, keys))
    made: list[str] = []
    for h in range(part.heads or 1):
        op = maps.query_key(part, h)
        yield Node(f"{name}/query/{h}", op, (x,))
        found = (*known[x][:-1], op.basis.outputs), (*queries, op.basis.outputs)
        made.append((yield from _viewed(f"{name}/queries/{h}", f"{name}/query/{h}", *found)))
    if len(made) > 1:
        yield Node(f"{name}/queries", Concat(len(part.lead)), tuple(made))
        made = [f"{name}/queries"]
    for side, read in (("keys", y), ("values", z)):
        made.append((yield from _viewed(f"{name}/{side}", read, known[read], (*keys, known[read][-1]))))
    yield replace(part.node, inputs=tuple(made))


def _outputs(part: Projections, maps: _Maps, known: Mapping[str, Shape]) -> Iterator[Node]:
    """In place of the output map: U of every head, added up."""
    name, end, heads = part.node.name, part.output.node.name, part.heads or 1
    width = known[part.values.node.inputs[0]][-1]
    made = (*known[part.output.node.inputs[0]][:-1], width)
    attended = (*known[name][:-1], width)
    for h in range(heads):
        own = name
        if heads > 1:
            own, attended = f"{name}/head/{h}", (*part.lead, 1, *known[name][-2:-1], width)
            yield Node(own, Slice(len(part.lead), h, h + 1), (name,))
        own = yield from _viewed(f"{name}/attended/{h}", own, attended, made)
        yield Node(f"{end}/{h}" if heads > 1 else end, maps.value_output(part, h), (own,))
    if heads > 1:
        yield Node(end, Add((1.0,) * heads), tuple(f"{end}/{h}" for h in range(heads)))


def _viewed(name: str, read: str, own: Shape, wanted: Shape) -> Generator[Node, None, str]:
    """A value of a shape, as it is or through a Reshape; by which name it goes."""
    if own == wanted:
        return read
    yield Node(name, Reshape(wanted), (read,))
    return name


def read_nodes(nodes: list[Node]) -> list[Node]:
    """Without those that nothing reads any more."""
    read = {nodes[-1].name}
    for node in reversed(nodes):
        if node.name in read:
            read |= set(node.inputs)
    return [node for node in nodes if node.name in read]
