"""How to install what is optional: slth is in no package index, so it is from its source folder."""


def install(extra: str) -> str:
    """The command for an extra, for the end of a sentence.

    >>> install("nn")
    "pip install -c constraints.txt -e '.[nn]' in the source folder of slth"
    """
    return f"pip install -c constraints.txt -e '.[{extra}]' in the source folder of slth"
