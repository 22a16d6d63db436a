"""What this wing contributes to the site: access rows, navigation, panel, claims, news, release parts and
gates."""

from __future__ import annotations

from typing import Any

from annotator import access
from annotator.access import CHECKER, EXPERT, LEAD, VIEWER
from annotator.contributions import NavigationEntry, Panel, ReleasePart, Subscriber, site

ROWS = {
    "claim.arbitrate": access.row(
        EXPERT, CHECKER, note="a checker: B and C only, where the workflow says so"
    ),
    "claim.check": access.row(CHECKER, EXPERT),
    "disputes.list": access.row(LEAD, EXPERT, CHECKER, note="but the lead: only tasks without an own part"),
    "disputes.decide": access.row(EXPERT, CHECKER, note="own seat only"),
    "checks.list": access.row(LEAD, EXPERT, CHECKER, note="but the lead: only tasks without an own part"),
    "checks.settle": access.row(EXPERT, CHECKER, note="own seat only"),
    "lots.read": access.row(LEAD),
    "lots.edit": access.row(LEAD),
    "lots.judge": access.row(LEAD, EXPERT, CHECKER, note="only members without an own part in the item"),
    "report.read": access.row(LEAD, VIEWER),
}


def _compare(chain: str, events: list[Any]) -> None:
    from review.actions.compare_task import handle

    handle(chain, events)


def _panel(project: Any) -> dict[str, Any]:
    from review.queries.overview import panel

    return panel(project)


def _report(snapshot: Any) -> dict[str, bytes]:
    from review.queries.report_files import make

    return make(snapshot)


def _gate(snapshot: Any) -> list[str]:
    from review.queries.lots import gate

    return gate(snapshot)


def _frozen(task: Any) -> str | None:
    from review.queries.lots import frozen

    return frozen(task)


def register() -> None:
    """Called once in `AppConfig.ready`."""
    from review.actions.steps.claiming import policies

    access.contribute(ROWS)
    site.navigation += [
        NavigationEntry("disputes", "Disputes", "disputes", "disputes.list", 50),
        NavigationEntry("checks", "Checks", "checks", "checks.list", 55),
        NavigationEntry("lots", "Spot check", "lots", "lots.judge", 60),
        NavigationEntry("quality", "Quality", "quality", "report.read", 70),
    ]
    site.panels.append(Panel("review", "review/panel.html", "disputes.list", 20, _panel))
    site.claim_policies.update({policy.stage: policy for policy in policies()})
    site.subscribers.append(Subscriber("compare", frozenset({"task.labelled", "task.restored"}), _compare))
    site.release_parts.append(ReleasePart("quality_report", _report))
    site.release_gates.append(_gate)
    site.frozen_checks.append(_frozen)
