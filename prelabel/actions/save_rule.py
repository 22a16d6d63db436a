"""Verb: a rule with its parameters, as an immutable version; the same parameters again are the same
version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from annotator.actions.verb import Idem, writing
from annotator.core.canonical import digest
from annotator.core.errors import Invalid
from annotator.models import Account, Project
from prelabel.models import RuleVersion
from prelabel.queries.overview import rule_json
from prelabel.rules import RULES, prepare_values, usable

NAME_LIMIT = 100


def save_rule(
    *,
    actor: Account,
    project: Project,
    rule: str,
    params: dict[str, Any],
    name: str = "",
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Stores version n + 1 under the name (the rule's id unless named). Raises Invalid with the parameter's
    name."""
    plugin = RULES.get(rule)
    name = (name or plugin.ID).strip()
    if not name or len(name) > NAME_LIMIT:
        raise Invalid("bad_name", "A name has 1 to 100 characters.", field="name")
    schema = project.schema.document if project.schema else {}
    if not usable(plugin, schema):
        raise Invalid(
            "rule_not_usable",
            "The schema in force has nothing that this rule could propose.",
            field="rule",
            cure="Add a control that it can fill.",
        )
    values = prepare_values(plugin, params, schema)
    with plugin.prepare(values, schema):
        pass  # what only the rule itself can refuse (a regular expression that does not compile)
    key = digest({"rule": plugin.ID, "params": values})
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        last = RuleVersion.objects.filter(project=project, name=name).order_by("-number").first()
        if last is not None and last.rule != plugin.ID:
            raise Invalid(
                "name_taken", "Another rule has this name already.", field="name", cure="Choose another name."
            )
        if last is None or last.digest != key:
            number = last.number + 1 if last is not None else 1
            last = RuleVersion.objects.create(
                project=project,
                rule=plugin.ID,
                name=name,
                number=number,
                params=values,
                digest=key,
                created_by=actor,
                created_at=w.now,
            )
            w.event(
                project.public_id,
                "rule.saved",
                last.public_id,
                data={"rule": plugin.ID, "number": number, "digest": key},
            )
        return w.answer(rule_json(last), 201)
