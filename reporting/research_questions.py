"""The research questions that a report answers, in order: the name and the title of the section of each."""

from typing import Literal

Question = Literal["overview", "edits", "rq1", "rq2", "rq3", "rq4", "reference"]

QUESTIONS: dict[Question, str] = {
    "overview": "Overview",
    "edits": "Edits: did they take?",
    "rq1": "RQ1: how robust are models after one edit?",
    "rq2": "RQ2: how do models fare as edits pile up?",
    "rq3": "RQ3: is the new API adopted, or worked around?",
    "rq4": "RQ4: where and why do edits fail?",
    "reference": "Beside the published figures",
}
