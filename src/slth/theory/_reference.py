"""A paper, and its BibTeX entry."""

from dataclasses import asdict, dataclass
from typing import Any

# Of texts: what LaTeX takes for a command.
_ESCAPED = str.maketrans({**{letter: f"\\{letter}" for letter in "&%$#_"}, "^": r"\^{}", "~": r"\~{}"})


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
    report: bool = False  # of an institution, in `venue`

    @property
    def short(self) -> str:
        """Authors and year, as a sentence cites them.

        >>> Reference(key="a", authors=("Frankle, Jonathan", "Carbin, Michael"), title="Tickets", year=2019).short
        'Frankle and Carbin (2019)'
        >>> Reference(key="b", authors=("{Authors of a preprint}",), title="Tickets", year=2026).short
        'Authors of a preprint (2026)'
        """
        families = [author.partition(",")[0].strip("{}") for author in self.authors]  # braces: for BibTeX
        most = 3
        named = " and ".join([", ".join(families[:-1]), families[-1]]) if len(families) > 1 else families[0]
        return f"{named if len(families) <= most else families[0] + ' et al.'} ({self.year})"

    def as_bibtex(self) -> str:
        """One entry, its keys in a fixed order."""
        kind, where = (
            ("article", "journal")
            if self.article
            else ("techreport", "institution")
            if self.report
            else ("inproceedings", "booktitle")
            if self.venue
            else ("misc", "howpublished")
        )
        parts = {
            "author": " and ".join(self.authors).translate(_ESCAPED),
            "title": "{" + self.title.translate(_ESCAPED) + "}",
            "year": str(self.year),
            where: self.venue.translate(_ESCAPED),
            "eprint": self.arxiv,
            "archivePrefix": "arXiv" if self.arxiv else "",
            "doi": self.doi,
        }
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in parts.items() if value)
        return f"@{kind}{{{self.key},\n{body}\n}}"

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON; what is not known is left out."""
        return {name: value for name, value in asdict(self).items() if value and name not in ("article", "report")}
