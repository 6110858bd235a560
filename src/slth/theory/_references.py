"""The papers that bounds, gadgets, methods and reproductions rest on, and their BibTeX entries."""

from collections.abc import Iterable
from dataclasses import dataclass

from slth import _arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A paper. `arxiv` and `doi` are identifiers, `venue` is where it appeared."""

    key: str
    authors: tuple[str, ...]  # "Family, Given"
    title: str
    year: int
    venue: str = ""
    arxiv: str = ""
    doi: str = ""
    article: bool = False  # in a journal, with its volume and pages in `venue`

    @property
    def short(self) -> str:
        """Authors and year, as a sentence cites them.

        >>> REFERENCES["lueker1998"].short
        'Lueker (1998)'
        """
        families = [author.partition(",")[0] for author in self.authors]
        most = 3
        named = " and ".join([", ".join(families[:-1]), families[-1]]) if len(families) > 1 else families[0]
        return f"{named if len(families) <= most else families[0] + ' et al.'} ({self.year})"

    def as_bibtex(self) -> str:
        """One entry, its keys in a fixed order."""
        kind = "article" if self.article else "inproceedings" if self.venue else "misc"
        where = {"article": "journal", "inproceedings": "booktitle", "misc": "howpublished"}[kind]
        parts = {
            "author": " and ".join(self.authors),
            "title": "{" + self.title + "}",
            "year": str(self.year),
            where: self.venue,
            "eprint": self.arxiv,
            "archivePrefix": "arXiv" if self.arxiv else "",
            "doi": self.doi,
        }
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in parts.items() if value)
        return f"@{kind}{{{self.key},\n{body}\n}}"


_ALL = (
    Reference(
        key="lueker1998",
        authors=("Lueker, George S.",),
        title="Exponentially small bounds on the expected optimum of the partition and subset sum problems",
        year=1998,
        venue="Random Structures and Algorithms 12(1):51-62",
        article=True,
    ),
    Reference(
        key="xiong2023",
        authors=("Xiong, Zheyang", "Liao, Fangshuo", "Kyrillidis, Anastasios"),
        title="Strong lottery ticket hypothesis with epsilon-perturbation",
        year=2023,
        venue="AISTATS, PMLR 206:6879-6902",
        arxiv="2210.16589",
    ),
    Reference(
        key="ramanujan2020",
        authors=(
            "Ramanujan, Vivek",
            "Wortsman, Mitchell",
            "Kembhavi, Aniruddha",
            "Farhadi, Ali",
            "Rastegari, Mohammad",
        ),
        title="What's hidden in a randomly weighted neural network?",
        year=2020,
        venue="CVPR",
        arxiv="1911.13299",
    ),
)

REFERENCES = {reference.key: reference for reference in _ALL}


def bibtex(keys: Iterable[str]) -> str:
    """The entries of these keys, each once, in the order of the keys.

    Raises:
        InputError: a key is unknown.
    """
    entries = [REFERENCES[_arguments.one_of(key, REFERENCES, "reference")] for key in dict.fromkeys(keys)]
    return "\n\n".join(entry.as_bibtex() for entry in entries)
