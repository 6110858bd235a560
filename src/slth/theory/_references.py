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
    Reference(
        key="frankle2019",
        authors=("Frankle, Jonathan", "Carbin, Michael"),
        title="The lottery ticket hypothesis: finding sparse, trainable neural networks",
        year=2019,
        venue="ICLR",
        arxiv="1803.03635",
    ),
    Reference(
        key="diffenderfer2021",
        authors=("Diffenderfer, James", "Kailkhura, Bhavya"),
        title="Multi-prize lottery ticket hypothesis: finding accurate binary neural networks by pruning a randomly "
        "weighted network",
        year=2021,
        venue="ICLR",
        arxiv="2103.09377",
    ),
    Reference(
        key="hoefler2021",
        authors=("Hoefler, Torsten", "Alistarh, Dan", "Ben-Nun, Tal", "Dryden, Nikoli", "Peste, Alexandra"),
        title="Sparsity in deep learning: pruning and growth for efficient inference and training in neural networks",
        year=2021,
        venue="Journal of Machine Learning Research 22(241):1-124",
        arxiv="2102.00554",
    ),
    Reference(
        key="zhou2019",
        authors=("Zhou, Hattie", "Lan, Janice", "Liu, Rosanne", "Yosinski, Jason"),
        title="Deconstructing lottery tickets: zeros, signs, and the supermask",
        year=2019,
        venue="NeurIPS",
        arxiv="1905.01067",
    ),
    Reference(
        key="pensia2020",
        authors=(
            "Pensia, Ankit",
            "Rajput, Shashank",
            "Nagle, Alliot",
            "Vishwakarma, Harit",
            "Papailiopoulos, Dimitris",
        ),
        title="Optimal lottery tickets via subset sum: logarithmic over-parameterization is sufficient",
        year=2020,
        venue="NeurIPS",
        arxiv="2006.07990",
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
