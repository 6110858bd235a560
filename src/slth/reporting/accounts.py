"""What a ticket costs, and how to make it again."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from slth._errors import InputError
from slth.graph import Dense, Graph, Linear, OneHot, Pointwise, chain_of
from slth.records import verbs
from slth.reporting.exhibit import Exhibit, file_word
from slth.reporting.facts import Facts
from slth.reporting.html import Html, join, pairs, percent, table, tag
from slth.ticket import Inputs, Ticket, TwoLayer, exactly_words, moved, with_steps

_DIGITS = 17  # behind the point, of a number that somebody may have typed


def counts(exhibit: Exhibit, facts: Facts) -> Html:
    """Source, kept and target parameters, by both ways of counting that the literature uses."""
    ticket = exhibit.ticket
    target = ticket.target_parameters

    def row(name: str, source: int, kept: int) -> list[str]:
        times = [f"{number / target:,.1f} ×" for number in (source, kept)]
        return [name, f"{source:,}", times[0], f"{kept:,}", times[1], percent(kept / source)]

    rows = [
        row("candidates", ticket.candidate_count, sum(part.chosen for part in facts.maps.values())),
        row("every entry", ticket.size, facts.kept_parameters),
    ]
    head = ["way of counting", "source", "per target weight", "kept", "per target weight", "fraction"]
    bits = 8 * exhibit.size
    text = (
        f"The target has {target:,} parameters. How large the random network is beside it depends on what is counted: "
        "its candidates, the random products that a weight may choose from, or every entry of its matrices."
    )
    note = (
        "Kept, of every entry: surviving edges of lift and mixing layers, neurons without a kept edge removed. "
        "Fraction: kept ÷ source; of candidates, kept per candidate. With those neurons the density is "
        f"{percent(ticket.density)}."
    )
    rest = [
        ("mask bits", f"{ticket.mask_bits:,}, {ticket.mask_bits / target:.1f} per target weight"),
        ("file", f"{exhibit.size:,} bytes, {bits / target:.2f} bits per target weight"),
        *(() if facts.rivals is None else [("at this error", facts.rivals.words(target))]),
        ("target in float32", f"{4 * target:,} bytes, 32 bits per weight{_compared(bits, 32 * target)}"),
    ]
    exactly = "; ".join(dict.fromkeys(words for g in ticket.gadgets.values() if (words := exactly_words(g))))
    rest += [("kept of each", f"exactly {exactly}")] if exactly else []
    rest += [("moved", f"{moved(ticket)}; mixing weights alone")] if ticket.moved else []
    return join([tag("p", text), table(head, rows, label="Counts"), tag("p", note, class_="note"), pairs(rest)])


def _compared(ticket: int, target: int) -> str:
    return ": the ticket is no compression" if ticket > target else f": {target / ticket:.1f} times the ticket"


INSTALL = "slth is in no package index: the first line installs it from its source tree, at the version named below."


def installation(exhibit: Exhibit, extra: str) -> list[str]:
    """The line that installs what a command needs, from the source tree; nothing for a version that is none."""
    version = exhibit.ticket.provenance.version
    known = re.fullmatch(r"\d[\w.+]*", version, re.ASCII)
    return [f"pip install -c constraints.txt -e '.[{extra}]'"] if known else []


def command_lines(lines: Sequence[str]) -> Html:
    """Lines for a shell; a long one is broken between words, and what it continues on stands further in."""
    broken = (tag("span", join((tag("span", word) for word in line.split(" ")), " "), class_="line") for line in lines)
    return tag("pre", tag("code", join(broken)))


def repeat(exhibit: Exhibit) -> Html:
    """The commands that make and check this ticket."""
    ticket, origin = exhibit.ticket, exhibit.ticket.provenance
    lines = commands(exhibit)
    text = (
        "Run on the same target, slth construct of this version gives this file again, bit for bit, on any machine and "
        "with any number of threads."
    )
    rows = [
        ("version", f"slth {origin.version}"),
        ("method", origin.method),
        ("seed", str(ticket.seed)),
        *((name.replace("-", " ") + " asked for", value) for name, value in _asked(ticket)),
        *((f"cut {end.removesuffix('_node')}", node) for end, node in origin.cut.items()),
        ("attempts", str(origin.attempts)),
        ("target, SHA-256 of its weights", tag("code", origin.target or "not recorded")),
        ("this file, SHA-256", tag("code", exhibit.digest)),
        ("tensor names", _shortened(_names(ticket))),
        *(("assumed" if i == 0 else "", sentence) for i, sentence in enumerate(ticket.assumed[:20])),
    ]
    if _coded(exhibit) and exhibit.model is None:
        text += (
            " MODEL stands for the code that gives the target's module: package.module:function or net.py:function; of "
            "a target in an ONNX file, TARGET.onnx takes the place of --model MODEL."
        )
    if _by_example(exhibit) and ticket.inputs is not None:
        length = " x ".join(map(str, ticket.inputs.shape))
        text += f" TOKENS stands for a file of one input, {length} tokens, such as a .npy."
    if lines[0].startswith("pip"):
        text = f"{INSTALL} {text}"
    if _borrowed(ticket):
        text += " The random network was that of another ticket; as a source, this one will do."
    if ticket.claims is not None and ticket.claims.statistical:
        text += " But for its statistical claims, which slth evaluate adds with --out."
    parts = [tag("p", text), command_lines(lines)]
    if ticket.inputs is not None and ticket.inputs.lower is not None and not _range(ticket.inputs):
        note = (
            "The input range differs from channel to channel, or from input to input; from Python: slth.construct(..., "
            "input_range=(lower, upper))."
        )
        parts.append(tag("p", note, class_="note"))
    return join([*parts, pairs(rows)])


def commands(exhibit: Exhibit) -> list[str]:
    """Shell lines, every word of a stranger quoted."""
    ticket, target = exhibit.ticket, _target(exhibit)
    name = exhibit.file
    data = shlex.quote(exhibit.data) if exhibit.data else "DATA"
    read = _reading(exhibit)
    place = ["--source", name, "--out", "again.slth"] if _borrowed(ticket) else ["--out", name]
    return [
        *installation(exhibit, "onnx" if _is_onnx(exhibit) else "nn"),
        " ".join(["slth construct", *target, *place, *_shape(exhibit), *read, *_options(exhibit)]),
        " ".join([f"slth verify {name}", *_flagged(target), *read]),
        " ".join([f"slth evaluate {name} --data {data}", *_flagged(target), *read]),
    ]


def _target(exhibit: Exhibit) -> list[str]:
    """How the target is given: a file, code, or both; code where no file alone tells a network of this kind."""
    model = exhibit.model
    code = [] if model is None and not _coded(exhibit) else [f"--model {file_word(model or 'MODEL')}"]
    named = exhibit.target_name or (None if code else f"TARGET.{'onnx' if _is_onnx(exhibit) else 'safetensors'}")
    return [*([] if named is None else [file_word(named)]), *code]


def _coded(exhibit: Exhibit) -> bool:
    """No file alone tells the target: it is no chain, or something was folded into its maps, and no file of a graph."""
    network, folded = exhibit.ticket.network, bool(exhibit.ticket.provenance.folded)
    graph = isinstance(network, Graph) and (chain_of(network) is None or folded)
    told = exhibit.target_name is not None and exhibit.model is None and _activation(exhibit) is not None
    return graph and not _is_onnx(exhibit) and not told


def _is_onnx(exhibit: Exhibit) -> bool:
    """The target is an ONNX file."""
    return bool(exhibit.ticket.provenance.cut) or (exhibit.target_name or "").lower().endswith(".onnx")


def _flagged(target: list[str]) -> list[str]:
    return [part if part.startswith("--model") else f"--target {part}" for part in target]


def _shape(exhibit: Exhibit) -> list[str]:
    """The shape of one input, which a module or an ONNX file may not tell; or that it is not asked for; the tables."""
    inputs = exhibit.ticket.inputs
    if not exhibit.ticket.joined:
        return ["--layers-only"]
    tables = (
        ["--embeddings=ticketed"] if any(isinstance(op.basis, OneHot) for op in exhibit.ticket.maps.values()) else []
    )
    if inputs is None or not (_coded(exhibit) or _is_onnx(exhibit)):
        return tables
    if _by_example(exhibit):
        return ["--example=TOKENS", *tables]
    return [f"--input-shape={','.join(map(str, inputs.shape))}", *tables]


def _by_example(exhibit: Exhibit) -> bool:
    """A module that takes tokens is known by some of them alone."""
    inputs = exhibit.ticket.inputs
    return inputs is not None and inputs.tokens is not None and _coded(exhibit)


def _options(exhibit: Exhibit) -> list[str]:
    """What was asked: everything that fixes the ticket, given the target."""
    ticket = exhibit.ticket
    inputs, origin = ticket.inputs, ticket.provenance
    options = [f"--{name}" if value == "yes" else f"--{name}={value}" for name, value in _asked(ticket)]
    if not _borrowed(ticket):
        options += _lift(ticket)
        retried = 0 if origin.asked.get("candidates") is None else origin.attempts - 1  # each time with the next seed
        options.append(f"--seed={max(ticket.seed - retried, 0)}")
    if origin.attempts > 1:
        options.append(f"--retries={origin.attempts - 1}")
    if inputs is not None:
        options += _range(inputs)
        if inputs.mean is not None and inputs.std is not None:
            options += [f"--mean={','.join(map(_number, inputs.mean))}", f"--std={','.join(map(_number, inputs.std))}"]
    return options


def _lift(ticket: Ticket) -> list[str]:
    """The lift, where it is not the usual one: linear where an input can be negative. Its gadgets tell."""
    parts = [(gadget, bool(gadget.signed(ticket.maps[path]).any())) for path, gadget in ticket.gadgets.items()]
    others = any(not isinstance(gadget, TwoLayer) for gadget, _ in parts)
    if others or all(gadget.linear == signed for gadget, signed in parts):
        return []
    return [f"--lift={'linear' if any(gadget.linear for gadget, _ in parts) else 'relu'}"]


def _reading(exhibit: Exhibit) -> list[str]:
    """What the file of the target does not tell: where its graph is cut, its activation, the order of its layers."""
    ticket, origin = exhibit.ticket, exhibit.ticket.provenance
    options = [f"--{end.removesuffix('_node')} {shlex.quote(node)}" for end, node in origin.cut.items()]
    if not isinstance(ticket.network, Graph) or _coded(exhibit) or _is_onnx(exhibit) or exhibit.model is not None:
        return options
    if not any(said.startswith("activation") for said in ticket.assumed):
        options.append(f"--activation={_activation(exhibit) or 'relu'}")  # unsaid, it would be an assumption
    layers = [weight.rpartition(".")[0] for weight, _ in origin.names.values()]
    assumed = any(said.startswith("layers in the order") for said in ticket.assumed)
    inputs = {op.basis.inputs for op in ticket.maps.values()}  # all different: no other order chains
    if not assumed and "," not in "".join(layers) and (_needs_order(layers) or len(inputs) < len(layers)):
        options.append("--order " + shlex.quote(",".join(layers)))
    return options


def _needs_order(layers: Sequence[str]) -> bool:
    """Unless the names differ in one number alone, by which they are in order."""
    parts = [re.split(r"(\d+)", layer) for layer in layers]
    if len({len(part) for part in parts}) > 1:
        return True
    places = [i for i, texts in enumerate(zip(*parts, strict=True)) if len(set(texts)) > 1]
    if not places:
        return False
    told = [part[places[0]] for part in parts]
    return len(places) > 1 or not all(map(str.isdecimal, told)) or sorted(told, key=int) != told


def _activation(exhibit: Exhibit) -> str | None:
    """Of a network of dense layers with one activation between them, as `--activation` spells it."""
    network = exhibit.ticket.network
    if not isinstance(network, Graph) or exhibit.ticket.provenance.folded:
        return None
    between = [node.op for node in network.nodes[1::2]]
    dense = all(isinstance(node.op, Linear) and isinstance(node.op.basis, Dense) for node in network.nodes[::2])
    spelled = {"Swish": "silu"}
    names = {spelled.get(op.function, op.function.lower()) for op in between if isinstance(op, Pointwise)}
    alone = dense and len(network.nodes) % 2 == 1 and len(names) == 1
    return names.pop() if alone and all(isinstance(op, Pointwise) for op in between) else None


def _range(inputs: Inputs) -> list[str]:
    """The input range as one pair of numbers, of the inputs or of the data before (x − mean) / std; none if none is."""
    lower, upper, mean, std = inputs.lower, inputs.upper, inputs.mean, inputs.std
    if lower is None or upper is None:
        return []
    if len(lower) == len(upper) == 1:
        return [f"--input-range={_number(lower[0])},{_number(upper[0])}"]
    if mean is None or std is None:
        return []
    low, high = (end[0] * std[0] + mean[0] for end in (lower, upper))
    with suppress(InputError):  # numbers of a stranger may overflow
        for digits in range(_DIGITS):
            ends = round(low, digits), round(high, digits)
            if replace(inputs, lower=None, upper=None).with_raw_range(ends[:1], ends[1:]) == inputs:
                return [f"--raw-range={_number(ends[0])},{_number(ends[1])}"]
    return []


def _borrowed(ticket: Ticket) -> bool:
    """Neither planned nor given, its width is that of another ticket's random network, which is this ticket's, too."""
    asked = ticket.provenance.asked
    return asked.get("failure_probability") is None and asked.get("candidates") is None


def _asked(ticket: Ticket) -> list[tuple[str, str]]:
    """Every option that a ticket says, as it was asked; what was searched with in place of what was found."""
    asked = dict(ticket.provenance.asked)
    for name in ("tolerance", "relative_tolerance"):
        searched = asked.pop(f"searched_{name}", None)
        if searched is not None:
            asked |= {"tolerance": None, "relative_tolerance": None, name: searched}
    known = verbs.arguments(verbs.Construct)
    names = [name for name in known if known[name].group == "plan" or name == "calibration"]
    said = [(name, asked[name]) for name in names if asked.get(name)]  # a tolerance of 0 goes with its gadget
    return [(name.replace("_", "-"), "yes" if value is True else _said(value)) for name, value in said]


def _said(value: str | float | int) -> str:
    """A name in a shell's spelling, or a number."""
    return shlex.quote(value) if isinstance(value, str) else _number(value)


def _names(ticket: Ticket) -> Iterator[str]:
    """The target's tensors, in the order of the maps, with what was folded in; of no one's tensors the map."""
    origin = ticket.provenance
    for path in ticket.maps:
        weight, bias = origin.names.get(path, (path, None))
        if path in origin.names or path in origin.folded:
            yield with_steps(weight, origin.folded.get(path, ()))
        if bias is not None:
            yield bias


def _shortened(names: Iterable[str]) -> str:
    """The first of many names."""
    listed = ", ".join(names)
    return listed if len(listed) <= 2000 else f"{listed[:2000]} …"


def _number(value: float | int) -> str:
    """The shortest text that reads back as this number."""
    return repr(value).removesuffix(".0")
