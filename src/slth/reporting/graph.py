"""The network of a ticket as a picture: its nodes from the input down, values that are read again at the left."""

from slth.graph import INPUT, Graph, Linear, chain_of, shapes
from slth.reporting.exhibit import Exhibit
from slth.reporting.html import Html, join, plural, tag
from slth.reporting.svg import LETTER, chart, line, words
from slth.ticket import Ticket, kernel_of, op_words

MOST_NODES = 300  # drawn
_ROW, _LANE, _MOST_LANES = 17.0, 7.0, 12
_FRAME = 440.0  # units that are seen at once
_AFTER = 250.0  # for op and shape
_NAME, _OP = 30, 24  # characters


def network(exhibit: Exhibit) -> Html:
    """Which nodes there are and what reads what; nothing of a chain, which its widths say whole."""
    ticket = exhibit.ticket
    graph = ticket.network
    if not isinstance(graph, Graph) or not graph.joined or chain_of(graph) is not None:
        return Html()
    claims = ticket.claims
    text = (
        f"{plural(len(graph.nodes), 'node')}, each with the shape of its value for one input. Blue: linear maps, which "
        "the random network replaces; the others are computed as the target does. Lines at the left: values that are "
        "read further down."
    )
    if claims is not None and claims.stops:
        text += f" Red: claims stop at {', '.join(claims.stops)[:300]}, and nothing is claimed behind."
    extra = len(graph.nodes) - MOST_NODES
    more = tag("p", f"{plural(extra, 'further node')} not drawn.", class_="note") if extra > 0 else Html()
    box = tag(
        "div", _picture(ticket, graph), class_="scroll tall", role="region", tabindex="0", aria_label="The network"
    )
    tall = len(graph.nodes) * _ROW > _FRAME
    hint = tag("p", "→ The picture scrolls inside its frame.", class_="note hint" if tall else "note hint narrow")
    return join([tag("p", text), hint, box, more])


def _picture(ticket: Ticket, graph: Graph) -> Html:
    known = {} if ticket.inputs is None else shapes(graph, ticket.inputs.shape, ticket.carried)
    nodes = graph.nodes[:MOST_NODES]
    row = {INPUT: 0} | {node.name: i for i, node in enumerate(nodes, 1)}
    buses = lanes([(row[name], i) for i, node in enumerate(nodes, 1) for name in node.inputs if row[name] < i - 1])
    trunk = _LANE * (max((lane for _, _, lane in buses), default=-1) + 2)
    stops = () if ticket.claims is None else ticket.claims.stops
    parts: list[str] = []
    for source, readers, lane in buses:
        x = trunk - _LANE * (lane + 1)
        path = f"M{trunk:g} {_y(source):g}H{x:g}V{_y(readers[-1]):g}" + "".join(
            f"M{x:g} {_y(reader):g}H{trunk:g}" for reader in readers
        )
        parts.append(f'<path class="edge" d="{path}"/>')
    parts += [
        line(trunk, _y(i - 1), trunk, _y(i), "axis")
        for i, node in enumerate(nodes, 1)
        if any(row[name] == i - 1 for name in node.inputs)
    ]
    shape = () if ticket.inputs is None else ticket.inputs.shape
    named = [node.op.map if isinstance(node.op, Linear) else node.name for node in nodes]
    longest = max(map(len, named))
    at = (trunk + 12, trunk + 28 + LETTER * min(max(longest, 5) * 1.05, _NAME))
    parts += [f'<circle class="pruned" cx="{trunk:g}" cy="{_y(0):g}" r="3"/>', _row(at, 0, INPUT, "", shape, "")]
    for i, node in enumerate(nodes, 1):
        linear = isinstance(node.op, Linear)
        mark = "missed" if node.name in stops else "kept" if linear else "pruned"
        parts.append(f'<circle class="{mark}" cx="{trunk:g}" cy="{_y(i):g}" r="{4 if linear else 3}"/>')
        kernel = kernel_of(node.op) if isinstance(node.op, Linear) else ()
        what = op_words(node.op) + (f" {' × '.join(map(str, kernel))}" if kernel else "")
        parts.append(_row(at, i, named[i - 1], what, known.get(node.name, ()), "strong" if linear else ""))
    label = f"The network: {plural(len(graph.nodes), 'node')}, {plural(len(graph.maps), 'map')}"
    return chart(parts, height=_y(len(nodes)) + 12, label=label, width=at[1] + _AFTER, kind="fig graph")


def _y(row: int) -> float:
    return 12.0 + _ROW * row


def _row(at: tuple[float, float], i: int, name: str, what: str, shape: tuple[int, ...], kind: str) -> str:
    """Name and op, each at its place, and the shape at the end."""
    short = name if len(name) <= _NAME else f"…{name[-_NAME + 1 :]}"
    sides, y = " × ".join(map(str, shape)), _y(i) + 4
    return (
        words(at[0], y, short, "start", kind)
        + words(at[1], y, what[:_OP], "start")
        + words(at[1] + _AFTER - 4, y, sides, "end")
    )


def lanes(edges: list[tuple[int, int]]) -> list[tuple[int, list[int], int]]:
    """(source, its readers, lane): values that do not only go to the next row, no two in one lane at one height."""
    readers: dict[int, list[int]] = {}
    for source, reader in edges:
        if reader not in readers.setdefault(source, []):
            readers[source].append(reader)
    found: list[tuple[int, list[int], int]] = []
    for source, rows in sorted(readers.items(), key=lambda item: item[1][-1] - item[0]):  # short ones stand inside
        lane = next((lane for lane in range(_MOST_LANES) if _fits(found, lane, source, rows[-1])), _MOST_LANES)
        found.append((source, rows, lane))
    return found


def _fits(found: list[tuple[int, list[int], int]], lane: int, start: int, stop: int) -> bool:
    return all(other != lane or stop <= source or start >= rows[-1] for source, rows, other in found)
