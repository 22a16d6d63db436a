"""Words of kinds, classes, outcomes and reasons for this wing's pages."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

KINDS = {
    "missing": _("drawn by some only"),
    "extra": _("drawn by a minority"),
    "label": _("different label"),
    "extent": _("different extent"),
    "attribute": _("different attribute"),
    "answer": _("different answer"),
    "usability": _("usable or not"),
}
ERROR_TYPES = {
    "missed": _("missed"),
    "extra": _("too much"),
    "wrong_label": _("wrong label"),
    "wrong_extent": _("wrong extent"),
    "wrong_attribute": _("wrong attribute"),
    "wrong_relation": _("wrong relation"),
}
WAYS = {
    "single": _("one person"),
    "agreed": _("two agreed"),
    "decided": _("decided by an arbiter"),
    "checked": _("passed a check"),
    "mended": _("mended in a check"),
}
LOT_STATES = {
    "committed": _("seed committed, not frozen"),
    "judging": _("being judged"),
    "accepted": _("lot accepted"),
    "not_accepted": _("lot not accepted"),
    "void": _("void"),
}
OUTCOMES = {"pass": _("passed"), "mend": _("mended"), "return": _("returned")}
INDICATORS = {
    "completeness": _("Completeness"),
    "accuracy": _("Accuracy (process average)"),
    "consistency": _("Consistency (first-pass agreement)"),
    "timeliness": _("Timeliness"),
    "coverage": _("Coverage"),
}
MEASURES = {
    "f1_iou.v1": _("Region agreement (F1)"),
    "mean_iou.v1": _("Mean IoU of matched regions"),
    "exact_answers.v1": _("Equal answers"),
    "first_pass.v1": _("Agreed at first pass"),
}
METHODS = {
    "clopper_pearson": _("exact binomial"),
    "clopper_pearson_by_group": _("exact binomial over groups"),
    "cluster_bootstrap": _("bootstrap over groups"),
    "hypergeometric": _("exact for the finite lot"),
    "wilson": _("Wilson"),
}
REASONS = {
    "no_active_items": _("there are no items yet"),
    "nothing_accepted": _("nothing is accepted yet"),
    "no_labels": _("the schema has no labels"),
    "no_lot_judged": _("no lot has been judged"),
    "no_pairs": _("no task was labelled by two people yet"),
    "no_defined_pairs": _("no pair in which it is defined"),
    "nothing_checked": _("nothing has been checked"),
    "rechecks_not_built": _("re-checks of lots are not built yet"),
    "counted_not_sampled": _("counted, not sampled"),
    "too_few_groups": _("too few groups of items: at least 5 are needed"),
    "no_variation_between_groups": _("all groups are alike"),
    "several_lots_no_pooled_interval": _("several lots have no pooled exact interval"),
    "inspected_whole": _("the whole lot was inspected"),
    "not_all_judged": _("not all drawn items are judged"),
    "no_units": _("there is nothing to measure"),
}


def percent(value: Any) -> str:
    """A share as text with one decimal."""
    return "–" if value is None else f"{100 * float(value):.1f}\N{NO-BREAK SPACE}%"


def figure(value: dict[str, Any]) -> dict[str, Any]:
    """A figure in the reader's words: value or why there is none, interval or why there is none, n."""
    interval = value.get("interval") or {}
    shown: dict[str, Any] = {"n": value.get("n", 0), "value": None, "why": "", "interval": "", "method": ""}
    if value.get("value") is None:
        reason = str(value.get("undefined", ""))
        shown["why"] = REASONS.get(reason, reason)
        return shown
    shown["value"] = percent(value["value"])
    shown["low"], shown["high"] = interval.get("low"), interval.get("high")
    if "low" in interval:
        shown["interval"] = f"{percent(interval['low'])} – {percent(interval['high'])}"
        shown["method"] = METHODS.get(interval["method"], interval["method"])
    elif "undefined" in interval:
        shown["method"] = REASONS.get(interval["undefined"], interval["undefined"])
    return shown
