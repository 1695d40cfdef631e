"""What the interface gives and takes, as JSON Schema: a promise to whoever builds on it.

A key may be added to an answer; none goes or changes its meaning within /api/v1.
"""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any]

TEXT: Shape = {"type": "string"}
NUMBER: Shape = {"type": "integer"}
SHARE: Shape = {"type": "number", "minimum": 0, "maximum": 1}
THRESHOLD: Shape = {"type": "number", "minimum": 0}
YES: Shape = {"type": "boolean"}
TIME: Shape = {"type": "string", "format": "date-time"}
ANY: Shape = {"type": "object"}


def maybe(shape: Shape) -> Shape:
    """The same, or null."""
    if "$ref" in shape:
        return {"anyOf": [shape, {"type": "null"}]}
    kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    found = {**shape, "type": [*kinds, "null"]}
    return found | {"enum": [*shape["enum"], None]} if "enum" in shape else found


def word(*known: str) -> Shape:
    """One of these words."""
    return {"type": "string", "enum": list(known)}


def many(shape: Shape) -> Shape:
    """A list."""
    return {"type": "array", "items": shape}


def thing(**keys: Shape) -> Shape:
    """An object with exactly these keys."""
    return {
        "type": "object",
        "properties": keys,
        "required": list(keys),
        "additionalProperties": False,
    }


def ref(name: str) -> Shape:
    """A shape of SHAPES."""
    return {"$ref": f"#/components/schemas/{name}"}


def page_of(name: str) -> Shape:
    """A page of a list: `next` is the cursor of the one after it, null at the end."""
    return thing(items=many(ref(name)), next=maybe(TEXT))


MODE = word("suggest", "apply", "off")
INTERVAL = thing(low=SHARE, high=SHARE)
_REPOSITORY = {
    "id": NUMBER,
    "full_name": TEXT,
    "private": YES,
    "mode": MODE,
    "version": maybe(TEXT),
    "issues": NUMBER,
    "applied": NUMBER,
    "judged": NUMBER,
    "right": NUMBER,
    "precision": maybe(SHARE),
    "coverage": maybe(SHARE),
    "decided_at": maybe(TIME),
}
_TRAINING = {
    "id": NUMBER,
    "kind": TEXT,
    "repository": maybe(TEXT),
    "state": TEXT,
    "phase": TEXT,
    "step": maybe(NUMBER),
    "total": maybe(NUMBER),
    "loss": maybe({"type": "number"}),
    "eta_seconds": maybe({"type": "number"}),
    "started_at": TIME,
    "ended_at": maybe(TIME),
    "why": TEXT,
    "reason": TEXT,
}
_VERSION = {
    "version": TEXT,
    "current": YES,
    "recipe": maybe(TEXT),
    "made_at": maybe(TEXT),
    "issues": maybe(NUMBER),
    "figures": thing(
        micro_f1=maybe(SHARE),
        macro_f1=maybe(SHARE),
        applied_precision=maybe(SHARE),
        applied_coverage=maybe(SHARE),
    ),
    "gate": maybe(thing(passed=YES, reason=TEXT, at=TIME)),
    "trial": maybe(thing(state=TEXT, judged=NUMBER, champion=TEXT, reason=TEXT)),
}
_FIGURES = thing(precision=maybe(SHARE), recall=maybe(SHARE), f1=maybe(SHARE), support=NUMBER)
_ISSUE = {
    "number": NUMBER,
    "title": TEXT,
    "state": TEXT,
    "is_pull_request": YES,
    "created_at": maybe(TEXT),
    "author": maybe(TEXT),
    "labels": many(ref("LabelName")),
}

SHAPES: dict[str, Shape] = {
    "Error": thing(error=TEXT, message=TEXT),
    "LabelName": thing(id=NUMBER, name=TEXT),
    "RepositoryInList": thing(**_REPOSITORY),
    "Repository": thing(
        **_REPOSITORY,
        mode_in_file=MODE,
        mode_override=maybe(MODE),
        target_precision=SHARE,
        archived=YES,
        removed=YES,
        config_errors=many(TEXT),
        nights=many(
            thing(
                day=TEXT,
                version=maybe(TEXT),
                applied=NUMBER,
                judged=NUMBER,
                right=NUMBER,
                missed=NUMBER,
                held=NUMBER,
                precision=maybe(SHARE),
                coverage=maybe(SHARE),
            )
        ),
    ),
    "Label": thing(
        id=NUMBER,
        name=TEXT,
        color=TEXT,
        description=TEXT,
        does=word("applies", "suggests", "off"),
        why=TEXT,
        apply_at=maybe(THRESHOLD),
        suggest_at=maybe(THRESHOLD),
        support=maybe(NUMBER),
        holdout=maybe(_FIGURES),
        live=maybe(thing(judged=NUMBER, right=NUMBER, interval=INTERVAL)),
    ),
    "IssueInList": thing(
        **_ISSUE,
        applied=many(TEXT),
        suggested=many(TEXT),
        version=maybe(TEXT),
        decided_at=maybe(TIME),
    ),
    "Issue": thing(
        **_ISSUE,
        body=TEXT,
        updated_at=maybe(TEXT),
        closed_at=maybe(TEXT),
        decision=maybe(ref("Decision")),
        history=many(thing(at=TEXT, who=TEXT, what=TEXT, labels=many(TEXT), note=TEXT)),
    ),
    "Decision": thing(
        id=NUMBER,
        version=TEXT,
        mode=TEXT,
        trigger=TEXT,
        at=TIME,
        verdicts=many(
            thing(
                label_id=maybe(NUMBER),
                label=TEXT,
                probability=maybe(SHARE),
                verdict=word("apply", "suggest", "none"),
                reason=TEXT,
            )
        ),
        neighbours=many(
            thing(number=NUMBER, title=maybe(TEXT), labels=many(TEXT), similarity=maybe(
                {"type": "number"}))
        ),
    ),
    "VersionInList": thing(**_VERSION),
    "Version": thing(
        **_VERSION,
        card=ANY,
        labels={"type": "object", "additionalProperties": ANY},
        gate_report=maybe(ANY),
    ),
    "TrainingInList": thing(**_TRAINING),
    "Training": thing(
        **_TRAINING,
        version=maybe(TEXT),
        curves=many(ANY),
    ),
    "Report": thing(
        kind=word("curves", "replay", "questions", "doubts"),
        version=TEXT,
        current_version=maybe(TEXT),
        made_at=TIME,
        body=ANY,
    ),
    "Job": thing(
        id=NUMBER,
        kind=TEXT,
        lane=TEXT,
        state=word("waiting", "running", "done", "dead"),
        repository=maybe(TEXT),
        number=maybe(NUMBER),
        attempts=NUMBER,
        max_attempts=NUMBER,
        created_at=TIME,
        run_at=TIME,
        finished_at=maybe(TIME),
        error=maybe(TEXT),
        result=maybe(TEXT),
    ),
    "Asked": thing(job=NUMBER),
    "Tried": thing(
        state=word("waiting", "done", "failed", "gone"),
        result=ANY,
    ),
    "InForce": thing(version=TEXT),
    "Mode": thing(mode=maybe(MODE)),
    "ModeNow": thing(mode=MODE, mode_override=maybe(MODE)),
    "Seen": thing(seen=maybe(TEXT)),
    "Text": thing(title=TEXT, body=TEXT),
    "Answer": thing(label_id=NUMBER, belongs=YES),
    "Reason": {
        "type": "object",
        "properties": {"reason": TEXT},
        "additionalProperties": False,
    },
}  # fmt: skip
