"""The notebooks as pages: their words, their code, and the pictures that stand in docs/."""

import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"


def pages() -> dict[str, str]:
    """A page for every notebook, and one that lists them."""
    made: dict[str, str] = {}
    rows = []
    for path in sorted(FOLDER.glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        texts = [_cell(cell) for cell in cells]
        place = f"notebooks/{path.stem.partition('_')[2]}.md"
        title, _, first = texts[0].partition("\n\n")
        rows.append(f"| [{title.lstrip('# ')}]({Path(place).name}) | {_sentence(first)} |")
        made[place] = "\n\n".join([*texts, f"*The notebook is `docs/notebooks/{path.name}`; it runs in under a minute.*\n"])
    about = "For teaching. They are kept without outputs: open one in Jupyter, and run it from the top."
    table = "\n".join(["| notebook | what it shows |", "| --- | --- |", *rows])
    return {"notebooks/index.md": f"# Notebooks\n\n{about}\n\n{table}\n", **made}


def places() -> list[dict[str, str]]:
    """For the navigation."""
    paths = sorted(FOLDER.glob("*.ipynb"))
    return [{_title(path): f"notebooks/{path.stem.partition('_')[2]}.md"} for path in paths]


def _title(path: Path) -> str:
    return json.loads(path.read_text())["cells"][0]["source"][0].strip("# \n")


def _sentence(text: str) -> str:
    """The first one of a paragraph."""
    return " ".join(text.partition("\n\n")[0].split()).partition(". ")[0].rstrip(".") + "."


def _cell(cell: dict) -> str:
    text = "".join(cell["source"])
    return f"```python\n{text}\n```" if cell["cell_type"] == "code" else text
