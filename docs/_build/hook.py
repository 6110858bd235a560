"""What MkDocs calls while it builds the site: pages that are made of something else in the repository."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.append(str(HERE.parents[1] / "src"))  # of a source tree that is not installed

import measured  # noqa: E402
import notebooks  # noqa: E402
import pages  # noqa: E402
import reference  # noqa: E402
import theorems  # noqa: E402
from mkdocs.structure.files import File  # noqa: E402

_MADE = {}  # text or bytes of every page and picture by its place, of one build


def on_config(config):
    """Make the pages, and give them their places in the navigation."""
    _MADE.clear()
    for made in (pages.pages(), theorems.pages(), reference.pages(), notebooks.pages()):
        _MADE.update(made)
    places = {"Theory": theorems, "Reference": reference, "Notebooks": notebooks, "Reproductions": measured}
    _place(config.nav, {title: module.places() for title, module in places.items()})
    return config


def _place(listed, places):
    """Pages that are made stand after the first page of their section."""
    for entry in listed:
        for title, inside in entry.items() if isinstance(entry, dict) else ():
            if isinstance(inside, list):
                _place(inside, places)
                inside[1:1] = places.get(title, [])


def on_files(files, config):
    """Add them to those of docs/."""
    for place, content in _MADE.items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links and lists as MkDocs reads them; GitHub reads docs/ as it is."""
    return pages.for_the_site(markdown)
