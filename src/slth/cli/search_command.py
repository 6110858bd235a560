"""The signature of `slth search`: many options, all of them thin."""

from pathlib import Path
from typing import Annotated

import typer

from slth.cli import _options as opt


def search(
    data: Annotated[
        str | None, typer.Option(help="digits, mnist, fashion_mnist, cifar10, or an .npz. Default: digits.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="mlp, lenet_300_100, lenet_5, conv_2, conv_4, conv_6, resnet_20, resnet_18. Default: mlp."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(help="edge-popup, biprop, supermask, magnitude, perturbed-edge-popup. Default: edge-popup."),
    ] = None,
    density: Annotated[float | None, typer.Option(help="Kept fraction, in (0, 1]; exact.")] = None,
    epsilon: Annotated[float | None, typer.Option(help="Largest move of a weight (perturbed-edge-popup).")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other setting of the method.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Published settings, such as edge-popup/cifar10-conv_4.")] = None,
    out: Annotated[Path | None, typer.Option(help="The ticket to write. Default: ticket.slth.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the training data, of each stage.")] = None,
    batch: Annotated[int | None, typer.Option(help="Examples per step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="sgd, adam, adamw.")] = None,
    schedule: Annotated[str | None, typer.Option(help="constant, cosine, multistep.")] = None,
    momentum: Annotated[float | None, typer.Option(help="Of SGD.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of what trains.")] = None,
    warmup: Annotated[float | None, typer.Option(help="Epochs of linear rise.")] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="Of the cross entropy.")] = None,
    accumulate: Annotated[int | None, typer.Option(help="Parts that a batch is cut into.")] = None,
    precision: Annotated[str | None, typer.Option(help="32-true, bf16-mixed, 16-mixed.")] = None,
    law: Annotated[
        str | None, typer.Option(help="kaiming_normal, kaiming_uniform, signed_constant, glorot_normal.")
    ] = None,
    gain: Annotated[float | None, typer.Option(help="Random weights x this.")] = None,
    biases: Annotated[str | None, typer.Option(help="zero, carry, train.")] = None,
    norms: Annotated[str | None, typer.Option(help="plain, carry, train.")] = None,
    first: Annotated[float | None, typer.Option(help="Density of the first layer.")] = None,
    last: Annotated[float | None, typer.Option(help="Density of the last layer.")] = None,
    scaled: Annotated[bool | None, typer.Option("--scaled/--no-scaled", help="Weights x sqrt(1/density).")] = None,
    width: Annotated[float | None, typer.Option(help="Width factor of the model.")] = None,
    hidden: Annotated[str | None, typer.Option(help="Hidden widths of mlp, as in 300,100.")] = None,
    augment: Annotated[bool | None, typer.Option("--augment/--no-augment", help="Random crops and flips.")] = None,
    seed: Annotated[int, typer.Option(help="Names the random weights, scores and order.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from --seed on: mean and interval.")] = 1,
    controls: Annotated[
        bool, typer.Option("--controls", help="Random and shuffled mask, fresh weights, dense.")
    ] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Save the run here; resume from it if it exists. With --seeds: NAME-SEED.")
    ] = None,
    logs: Annotated[
        Path | None, typer.Option(help="Folder for history.csv and TensorBoard. With --seeds: NAME-SEED.")
    ] = None,
    data_dir: opt.DataDir = None,
    devices: Annotated[int, typer.Option(min=1, help="Processes; more than one under torchrun.")] = 1,
    accelerator: Annotated[str, typer.Option(help="cpu, cuda, mps, auto.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Threads of PyTorch.")] = 1,
    records: opt.Records = None,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Learn which weights of a random network to keep; the ticket is a seed and a mask.

    The weights never move (magnitude and perturbed-edge-popup apart, whose tickets say what moved).
    """
    from slth._errors import InputError
    from slth.cli import _search

    opt.set_logging(quiet, verbose)
    options = _search.settings(setting or [])
    options |= {name: value for name, value in (("density", density), ("epsilon", epsilon)) if value is not None}
    arguments: dict[str, object] = {} if width is None else {"width": width}
    if hidden is not None:
        try:
            arguments["hidden"] = [int(part) for part in hidden.split(",")]
        except ValueError as error:
            raise InputError(f"--hidden takes whole numbers separated by commas; got {hidden!r}") from error
    request = _search.Request(
        data=data,
        model=model,
        method=method,
        out=out,
        preset=preset,
        options=options,
        arguments=arguments,
        training={
            "epochs": epochs,
            "batch": batch,
            "lr": lr,
            "optimizer": optimizer,
            "schedule": schedule,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "warmup": warmup,
            "label_smoothing": label_smoothing,
            "accumulate": accumulate,
            "precision": precision,
        },
        policy={
            "law": law,
            "gain": gain,
            "biases": biases,
            "norms": norms,
            "first": first,
            "last": last,
            "scaled": scaled,
        },
        seed=seed,
        seeds=seeds,
        controls=controls,
        augment=augment,
        data_dir=data_dir,
        checkpoint=checkpoint,
        logs=logs,
        devices=devices,
        accelerator=accelerator,
        threads=threads,
        records=records,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(_search.run(request))
