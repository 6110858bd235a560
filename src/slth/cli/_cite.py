"""`slth cite`: the papers that something rests on."""

import json

from slth import api
from slth.records import verbs


def run(asked: verbs.Cite) -> int:
    """Print BibTeX, or the papers as a list of JSON."""
    found = api.cite(**verbs.keywords(asked))
    print(json.dumps(found.as_plain()) if asked.as_json else found)
    return 0
