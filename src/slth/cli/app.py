"""The commands of `slth`. Each parses its options, calls one verb and prints; heavy imports wait until then."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from slth._errors import InputError
from slth._version import __version__
from slth.cli import _options as opt
from slth.cli.search_command import search

app = typer.Typer(
    name="slth",
    help="Strong lottery tickets: a trained network as a pruned random network, a seed and a bit mask, with a proof.",
    epilog="Exit codes: 0 done and all holds; 1 a claim does not hold or weights missed the tolerance asked for; "
    "2 wrong usage or unusable files; 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def run(arguments: Sequence[str]) -> int:
    """Parse and run one command; its exit code."""
    try:
        app(list(arguments), prog_name="slth")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except InputError as error:
        print(f"slth: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("slth: not enough memory for a network of this size; try fewer candidates", file=sys.stderr)
        return 2
    return 0


def _version(wanted: bool) -> bool:
    if wanted:
        print(f"slth {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def construct(
    target: Annotated[
        Path | None,
        typer.Argument(
            help="Trained network: .safetensors or .pt. Default: an MLP trained now on the embedded digits."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The ticket to write. Default: TARGET's name with .slth, here.")
    ] = None,
    tolerance: opt.Tolerance = None,
    epsilon: opt.Epsilon = None,
    failure_probability: opt.FailureProbability = 0.01,
    candidates: opt.Candidates = None,
    seed: Annotated[int, typer.Option(help="Names the random network.")] = 0,
    retries: Annotated[
        int,
        typer.Option(
            help="Further attempts while weights miss, each of the whole network: "
            "wider, or with --candidates the next seed."
        ),
    ] = 0,
    source: Annotated[
        Path | None, typer.Option(help="Use the random network of this ticket.", show_default=False)
    ] = None,
    input_range: opt.InputRange = None,
    data: opt.RangeData = None,
    data_dir: opt.DataDir = None,
    normalize: opt.Normalize = None,
    order: opt.Order = None,
    activation: opt.Activation = None,
    threads: opt.Threads = None,
    records: opt.Records = None,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Turn a trained network into a ticket: a seed, a mask and a certificate.

    With no TARGET: trains one on the embedded digits, constructs, verifies and evaluates.

    Exit code 1 if some weight missed the tolerance asked for: the ticket is written, the misses are listed.

    With --epsilon: 0 if the certificate meets it, whatever weights missed; 2, and no ticket, if it does not.
    """
    from slth.cli import _construct
    from slth.construction import Plan

    opt.set_logging(quiet, verbose)
    request = _construct.Request(
        target=target,
        out=out,
        plan=Plan(
            tolerance=tolerance,
            epsilon=epsilon,
            candidates=candidates,
            failure_probability=failure_probability,
            seed=seed,
            retries=retries,
        ),
        source=source,
        input_range=opt.pair(input_range, "--input-range"),
        data=data,
        data_dir=data_dir,
        normalize=opt.pair(normalize, "--normalize"),
        order=opt.names(order),
        activation=activation,
        threads=threads,
        records=records,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(_construct.run(request))


@app.command()
def plan(
    target: Annotated[Path, typer.Option(help="The trained network: .safetensors or .pt.")],
    tolerance: opt.Tolerance = None,
    epsilon: opt.Epsilon = None,
    failure_probability: opt.FailureProbability = 0.01,
    candidates: opt.Candidates = None,
    input_range: opt.InputRange = None,
    data: opt.RangeData = None,
    data_dir: opt.DataDir = None,
    normalize: opt.Normalize = None,
    order: opt.Order = None,
    activation: opt.Activation = None,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """The width a network needs: theorem, first moment and measured failure probability; nothing is constructed.

    With --candidates: the misses to expect at that width.
    """
    from slth.cli import _plan

    request = _plan.Request(
        target=target,
        tolerance=tolerance,
        epsilon=epsilon,
        failure_probability=failure_probability,
        candidates=candidates,
        input_range=opt.pair(input_range, "--input-range"),
        data=data,
        data_dir=data_dir,
        normalize=opt.pair(normalize, "--normalize"),
        order=opt.names(order),
        activation=activation,
        as_json=as_json,
        quiet=quiet,
    )
    _plan.run(request)


@app.command()
def verify(ticket: opt.Ticket, target: opt.Target = None, order: opt.Order = None, as_json: opt.Json = False) -> None:
    """Recheck a ticket; exit 0 only if everything that was checked holds."""
    from slth import api
    from slth.cli import _print

    result = api.verify(ticket, target=target, order=opt.names(order))
    if as_json:
        import json

        checks = [{"name": c.name, "verdict": c.verdict.name.lower(), "detail": c.detail} for c in result.checks]
        print(json.dumps({"holds": result.holds, "checks": checks}))
    else:
        _print.verification(result)
    raise typer.Exit(0 if result.holds else 1)


@app.command()
def evaluate(
    ticket: opt.Ticket,
    data: Annotated[str, typer.Option(help="digits, mnist, fashion_mnist, cifar10, or an .npz with x and y.")],
    target: opt.Target = None,
    order: opt.Order = None,
    data_dir: opt.DataDir = None,
    normalize: opt.Normalize = None,
    records: opt.Records = None,
    as_json: opt.Json = False,
) -> None:
    """Accuracy with confidence interval; with --target also distance, predictions changed and predictions proved."""
    from slth import api
    from slth.cli import _print
    from slth.cli._record import evaluation_record, keep

    scale = opt.pair(normalize, "--normalize")
    found, record = evaluation_record(
        lambda: api.evaluate(ticket, data, target=target, data_dir=data_dir, normalize=scale, order=opt.names(order)),
        asked={
            "ticket": str(ticket),
            "data": data,
            "target": None if target is None else str(target),
            "normalize": scale,
        },
    )
    keep(record, records)
    if as_json:
        print(record.as_json())
    else:
        _print.table(f"{ticket}", _print.evaluation_rows(found))


@app.command()
def show(
    ticket: opt.Ticket,
    weight: Annotated[
        str | None,
        typer.Option(metavar="LAYER:OUT,IN", help="Take one weight apart; IN may be `bias`.", show_default=False),
    ] = None,
    target: opt.Target = None,
    order: opt.Order = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the weight into this .svg, .png or .pdf.", show_default=False)
    ] = None,
) -> None:
    """What is inside a ticket, without generating weights; with --weight one weight, its candidates and their sum."""
    from slth.cli import _show

    _show.run(ticket, weight=weight, target=target, order=opt.names(order), picture=picture)


@app.command()
def export(
    ticket: opt.Ticket,
    out: Annotated[Path, typer.Option(help="File to write; the suffix says the format: .safetensors.")],
    view: Annotated[str, typer.Option(help="realised: the target's shape; source: the random network.")] = "realised",
) -> None:
    """Write the network that a ticket stands for as a plain state dict."""
    from slth._files import check_writable, write_atomically
    from slth.cli import _print

    if out.suffix != ".safetensors":
        raise InputError(f"cannot export to {out.name!r}: expected the suffix .safetensors")
    check_writable(out)
    from safetensors.numpy import save

    from slth.network import state_dict
    from slth.ticket import load

    tensors = state_dict(load(ticket), view)
    write_atomically(out, save(tensors))
    _print.note(f"wrote {out}: {len(tensors)} tensors, {sum(t.size for t in tensors.values()):,} numbers")


@app.command()
def report(
    files: Annotated[
        list[Path], typer.Argument(metavar="TICKETS|RECORDS...", help="Tickets, and records in JSON lines.")
    ],
    out: Annotated[Path, typer.Option(help="The page to write: .html.")],
    target: opt.Target = None,
    order: opt.Order = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Evaluate on digits, mnist, fashion_mnist, cifar10, or an .npz with x and y.", show_default=False
        ),
    ] = None,
    data_dir: opt.DataDir = None,
    normalize: opt.Normalize = None,
    weight: Annotated[
        str | None,
        typer.Option(metavar="LAYER:OUT,IN", help="The weight to take apart; IN may be `bias`.", show_default=False),
    ] = None,
    quiet: opt.Quiet = False,
) -> None:
    """One self-contained page about tickets and records; with --target and --data it compares, proves and measures."""
    from slth.cli import _report

    request = _report.Request(
        files=files,
        out=out,
        target=target,
        order=opt.names(order),
        data=data,
        data_dir=data_dir,
        normalize=opt.pair(normalize, "--normalize"),
        weight=weight,
        quiet=quiet,
    )
    raise typer.Exit(_report.run(request))


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="The state dict to write: .safetensors.")],
    data: Annotated[
        str, typer.Option(help="digits, mnist, fashion_mnist, cifar10, or an .npz with x and y.")
    ] = "digits",
    hidden: Annotated[str, typer.Option(help="Widths of the hidden layers, as in 300,100.")] = "64",
    bias: Annotated[bool, typer.Option(help="Layers with biases.")] = True,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training data.")] = 10,
    seed: Annotated[int, typer.Option(help="Initial weights and order of the data.")] = 0,
    data_dir: opt.DataDir = None,
    normalize: opt.Normalize = None,
    quiet: opt.Quiet = False,
) -> None:
    """Train a ReLU network to make tickets of: SGD 0.1, momentum 0.9, weight decay 5e-4, batch 64, cosine rate."""
    from slth._files import check_writable, write_atomically
    from slth.cli import _print

    if out.suffix != ".safetensors":
        raise InputError(f"cannot write {out.name!r}: expected the suffix .safetensors")
    check_writable(out)
    try:
        widths = [int(width) for width in hidden.split(",") if width]
    except ValueError as error:
        raise InputError(
            f"--hidden takes whole numbers separated by commas, such as 300,100; got {hidden!r}"
        ) from error
    from safetensors.numpy import save

    from slth import api

    scale = opt.pair(normalize, "--normalize")
    opt.single_torch_thread()
    with _print.progress("training", quiet) as report:
        tensors = api.train(
            data,
            hidden=widths,
            bias=bias,
            epochs=epochs,
            seed=seed,
            data_dir=data_dir,
            normalize=scale,
            progress=report,
        )
    write_atomically(out, save(tensors))
    _print.note(f"wrote {out}: {len(tensors)} tensors, {sum(t.size for t in tensors.values()):,} numbers", quiet)


app.command()(search)


@app.command()
def sweep(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="Verb, options, grid, table.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results. Default: RECIPE-results beside the recipe.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes, which share the processors.")] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and the estimated time; write nothing.")
    ] = False,
    keep_failed: Annotated[
        bool, typer.Option("--keep-failed", help="Leave alone the cells that failed before.")
    ] = False,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Run a grid of options; run it again to do what is missing. Several runs may fill one folder together.

    Writes a record per cell, table.csv and heatmap.svg. Exit code 1 if cells failed; the others are done all the same.
    """
    from slth.cli import _sweep

    code = _sweep.run(
        recipe,
        out=out,
        workers=workers,
        dry_run=dry_run,
        keep_failed=keep_failed,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(code)
