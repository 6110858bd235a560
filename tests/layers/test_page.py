"""docs/symmetry.md: its example runs, its layers and links exist."""

import re
from pathlib import Path

import slth.layers
from slth.graph import BASES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "symmetry.md").read_text()


def test_the_example_runs():
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(block, "docs/symmetry.md", "exec"), {})


def test_every_layer_and_basis_is_named():
    layers = {name for name in slth.layers.__all__ if isinstance(getattr(slth.layers, name), type)}
    assert {name for name in layers if name.endswith(("Linear", "2d"))} <= set(re.findall(r"\w+", PAGE))
    assert set(re.findall(r"\| `([A-Z]\w+)` \|$", PAGE, re.MULTILINE)) <= set(BASES)


def test_the_page_is_linked():
    assert "docs/symmetry.md" in (ROOT / "README.md").read_text()
    heading = re.findall(r"benchmarks\.md#([\w-]+)", PAGE)
    titles = re.findall(r"^## (.*)$", (ROOT / "docs" / "benchmarks.md").read_text(), re.MULTILINE)
    found = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(heading) <= found
