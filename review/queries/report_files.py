"""The quality report as files of a release: report.json for machines, report.md for people. Same bytes
every time."""

from __future__ import annotations

from typing import Any

from annotator.core.canonical import canonical
from review.queries.quality import quality_report

TITLES = {
    "completeness": "Completeness",
    "accuracy": "Accuracy (process average)",
    "consistency": "Consistency (first-pass agreement)",
    "timeliness": "Timeliness",
    "coverage": "Coverage",
}


def make(snapshot: Any) -> dict[str, bytes]:
    """The two files at the snapshot's event number."""
    report = quality_report(snapshot.project, seq=int(snapshot.event_seq))
    return {"report.json": canonical(report) + b"\n", "report.md": markdown(report).encode("utf-8")}


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def value_text(figure: dict[str, Any]) -> str:
    """A figure in words: value, interval or the reason, n."""
    if figure.get("value") is None:
        return f"undefined ({figure.get('undefined', 'unknown')})"
    interval = figure.get("interval") or {}
    if "low" in interval:
        bounds = f"{percent(interval['low'])} to {percent(interval['high'])}"
        shown = f", {percent(interval['level'])} interval {bounds} ({interval['method']})"
    elif "undefined" in interval:
        shown = f", no interval ({interval['undefined']})"
    else:
        shown = ""
    return f"{percent(figure['value'])}{shown}, n = {figure['n']}"


def markdown(report: dict[str, Any]) -> str:
    lines = [
        "# Quality report",
        "",
        f"Project {report['project']}, at event {report['event']}. Items {report['items']}, "
        f"accepted {report['accepted']}.",
        "",
        "## Five indicators of labels",
        "",
    ]
    for name, title in TITLES.items():
        figure = report["indicators"][name]
        lines += [f"**{title}**: {value_text(figure)}  ", report["definitions"][name], ""]
    consistency = report["indicators"]["consistency"]
    lines += ["## Agreement", ""]
    for measure, figure in consistency["other_measures"].items():
        title = consistency["measures"].get(measure, measure)
        lines.append(f"- {title} ({measure}): {value_text(figure)}")
    for label, figure in consistency["f1_iou_by_label"].items():
        lines.append(f"- Region agreement of label `{label}`: {value_text(figure)}")
    for measure, figure in consistency["concordance_under_prelabel"].items():
        lines.append(f"- Concordance under prelabel, {measure}: {value_text(figure)}")
    accuracy = report["indicators"]["accuracy"]
    lines += ["", "## Lots", "", f"Outgoing quality: {value_text(accuracy['outgoing_quality'])}", ""]
    for lot in report["lots"]:
        lines.append(
            f"- {lot['id']}: {lot['plan']}, N = {lot['size']}, n = {lot['n']}, "
            f"Ac = {lot['acceptance_number']}, found {lot['found']} "
            f"(by class {lot['wrong']}): {lot['verdict'].replace('_', ' ')}"
        )
    if not report["lots"]:
        lines.append("Lots not used.")
    turnaround = report["turnaround_hours"]
    lines += ["", "## Beside the indicators", ""]
    if "median" in turnaround:
        lines.append(
            f"- Turnaround, import to accepted: median {turnaround['median']} h, "
            f"90 % within {turnaround['p90']} h, n = {turnaround['n']}"
        )
    lines.append(f"- Differences found: {report['differences']['n']} {report['differences']['by_kind']}")
    checks = report["checks"]
    lines.append(
        f"- Checks passed at first: {value_text(checks['first_pass_rate'])}; outcomes {checks['outcomes']}"
    )
    return "\n".join(lines) + "\n"
