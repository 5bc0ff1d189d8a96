"""The classification aid: which words of a course's text speak for academic content, and how strongly. People decide.

Words and weights are the pack's word lists; every word is told with its clauses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qingdan.institutions.enums import TrainingCategory
from qingdan.institutions.models import Course
from qingdan.policy.lexicons import MEANINGS
from qingdan.policy.pack import Pack

_LEXICONS = ("academic", "disguises", "results")
#: The parts of a course that are read, and their names.
PARTS: Mapping[str, str] = {"name": "课程名称", "subject": "学科或项目", "goal": "培训目标", "syllabus": "内容与进度"}


@dataclass(frozen=True)
class Classified:
    """What a course's text speaks for."""

    #: Sums of weights, each word once.
    academic_score: int
    non_academic_score: int
    #: ``[{word, weight, means, meaning, where, cites: [{clause, text}]}]``, the weightiest first.
    evidence: list[dict[str, Any]]
    #: Whether an academic course is read: then academic words are no surprise.
    is_academic: bool

    @property
    def looks_academic(self) -> bool:
        """Whether the text of a non-academic course speaks more for academic content."""
        return not self.is_academic and self.academic_score > self.non_academic_score

    @property
    def result_words(self) -> list[str]:
        """Words of competitions, rankings, results and admissions, which may not be advertised with."""
        return [each["word"] for each in self.evidence if each["means"] == "result"]

    @classmethod
    def of_evidence(cls, evidence: list[dict[str, Any]], category: str) -> Classified:
        """From evidence as it was kept; a guise counts only beside academic words."""
        summed = dict.fromkeys(MEANINGS, 0)
        for each in evidence:
            summed[each["means"]] += each["weight"]
        academic = summed["academic"] + (summed["guise"] if summed["academic"] else 0)
        return cls(academic, summed["non_academic"], evidence, category == TrainingCategory.ACADEMIC)


def classify(texts: Mapping[str, str], category: str, *, place: str, pack: Pack) -> Classified:
    """Read the parts of a course (see PARTS) at a place; only clauses that hold in its layers are cited."""
    chain = pack.layers[place].chain
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name in _LEXICONS:
        for part, text in texts.items():
            for each in pack.lexicon(name).found_in(text):
                told = found.setdefault(
                    (each.means, each.word),
                    {
                        "word": each.word,
                        "weight": each.weight,
                        "means": each.means,
                        "meaning": MEANINGS[each.means],
                        "where": [],
                        "cites": [{"clause": cite, "text": pack.cite(cite)} for cite in each.cites if pack.clauses[cite][0].layer in chain],
                    },
                )
                if PARTS[part] not in told["where"]:
                    told["where"].append(PARTS[part])
    evidence = sorted(found.values(), key=lambda each: (-each["weight"], each["word"]))
    return Classified.of_evidence([each | {"where": "、".join(each["where"])} for each in evidence], category)


def classify_course(course: Course, pack: Pack) -> Classified:
    """What a course speaks for; it comes with its institution's organisation."""
    texts = {part: getattr(course, part) for part in PARTS}
    return classify(texts, course.category, place=course.institution.organisation.layer_code, pack=pack)
