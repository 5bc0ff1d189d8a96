"""Terms that take rights from a family, found in what a contract says besides the model form."""

from __future__ import annotations

import re
from typing import Any

from qingdan.policy.pack import Pack

_LEXICON = "unfair_terms"
_END = re.compile(r"[。；;！!？?\n]")


def unfair_terms(text: str, *, place: str, pack: Pack) -> list[dict[str, Any]]:
    """``[{word, sentence, cites: [{clause, text}]}]``: each suspicious sentence with what is suspicious in it.

    A word that no clause of the place speaks of is told without one.
    """
    chain = pack.layers[place].chain
    found: list[dict[str, Any]] = []
    for each in pack.lexicon(_LEXICON).found_in(text):
        cites = [{"clause": cite, "text": pack.cite(cite)} for cite in each.cites if pack.clauses[cite][0].layer in chain]
        line = {"word": each.word, "sentence": sentence_at(text, each.start), "cites": cites}
        if line not in found:
            found.append(line)
    return found


def sentence_at(text: str, start: int) -> str:
    """The sentence in which a place of the text lies."""
    begin = max((match.end() for match in _END.finditer(text, 0, start)), default=0)
    end = _END.search(text, start)
    return text[begin : end.start() if end else len(text)].strip()
