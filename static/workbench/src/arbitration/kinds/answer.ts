/** answer: a question about the whole item was answered differently. */
import { t, titleOf } from "../../core/i18n.ts";
import { same } from "../../core/canonical.ts";
import type { DifferenceKind } from "../kind.ts";

export const kind: DifferenceKind = {
  name: "answer",
  order: 5,
  title: () => t("Different answer"),
  line: (difference, dispute) =>
    titleOf(dispute.schema.controls.find((control) => control.name === difference.field)?.title) || difference.field || "",
  offer: (difference, side, dispute) => ({ choice: side, text: dispute.valueText(difference, difference.values?.[side] ?? null) }),
  none: () => t("no answer"),
  edits: "value",
  apply: (document, difference, decision) => {
    const field = difference.field;
    if (field === undefined) return [];
    const after = decision.choice === "none" ? null : decision.choice === "edit" ? decision.value ?? null : difference.values?.[decision.choice] ?? null;
    const before = document.answers[field] ?? null;
    return same(before, after) ? [] : [{ op: "set", path: ["answers", field], before, after }];
  },
};
