"""Verb and job: a rule version prelabels the tasks that wait."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from annotator import jobs
from annotator.actions.verb import Idem, writing
from annotator.core.errors import Conflict, Invalid
from annotator.models import Account
from prelabel.actions.steps.runs import Proposer, prelabel_waiting
from prelabel.models import RuleVersion
from prelabel.rules import RULES, prepare_values

if TYPE_CHECKING:
    from annotator.jobs import Ticket


def run_rule(
    *,
    actor: Account,
    rule: RuleVersion,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """{"job": public id}. The same rule pressed twice is one job while it is not finished."""
    if RULES.find(rule.rule) is None:
        raise Invalid("unknown_plugin", "This rule is no longer installed.", field="rule")
    newer = RuleVersion.objects.filter(
        project=rule.project_id, name=rule.name, number__gt=rule.number
    ).exists()
    if newer:
        raise Conflict("old_version", "There is a newer version of this rule.", cure="Run the newest one.")
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        job, _made = jobs.enqueue(
            w, "prelabel.run_rule", {"rule": rule.public_id}, project=rule.project, created_by=actor
        )
        return w.answer({"job": job.public_id}, 202)


def source_of(rule: RuleVersion) -> str:
    """What prelabels of this rule name as their source; two rules of one kind are two sources."""
    return f"rule:{rule.rule}" if rule.name == rule.rule else f"rule:{rule.rule}:{rule.name}"


def run(ticket: Ticket) -> dict[str, Any]:
    """The job. Parameters are checked again: the schema may have changed since the rule was saved."""
    rule = RuleVersion.objects.select_related("project__schema").get(public_id=ticket.payload["rule"])
    plugin = RULES.get(rule.rule)
    schema = rule.project.schema.document if rule.project.schema else {}
    values = prepare_values(plugin, rule.params, schema)
    with plugin.prepare(values, schema) as apply:
        by = Proposer(
            source=source_of(rule),
            version=str(rule.number),
            input=plugin.INPUT,
            shapes=plugin.SHAPES,
            propose=lambda samples: [apply(sample) for sample in samples],
            rule=rule,
        )
        return prelabel_waiting(ticket, rule.project, by)
