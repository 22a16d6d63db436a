/** usability: one says that the item cannot be labelled, another labelled it. Decided first: it may settle all else. */
import { t } from "../../core/i18n.ts";
import type { Change, Difference } from "../../document/types.ts";
import type { Decision, DifferenceKind } from "../kind.ts";

/** The reason that was decided; null when the item is usable. */
export function reasonOf(difference: Difference, decision: Decision): string | null {
  const value = decision.choice === "edit" ? decision.value : difference.values?.[decision.choice];
  return typeof value === "string" ? value : null;
}

export const kind: DifferenceKind = {
  name: "usability",
  order: 0,
  title: () => t("Usable or not"),
  line: () => t("Can this be labelled?"),
  offer: (difference, side, dispute) => {
    const reason = difference.values?.[side];
    const n = Object.keys(dispute.sideOf(side).regions).length;
    return typeof reason === "string" ? { choice: side, text: t("unusable"), detail: reason }
      : { choice: side, text: t("usable"), detail: t("{n} objects", { n }) };
  },
  none: () => null,
  edits: "value",
  apply: (document, difference, decision, dispute) => {
    const reason = reasonOf(difference, decision);
    if (reason !== null) {
      return [
        ...Object.values(document.regions).map((region): Change => ({ op: "remove", region })),
        ...Object.entries(document.answers).map(([name, before]): Change => ({ op: "set", path: ["answers", name], before, after: null })),
        { op: "set", path: ["unusable"], before: document.unusable, after: reason },
      ];
    }
    const usable = dispute.sides.filter((side) => side.document.unusable === null);
    if (usable.length !== 1) return [];
    const taken = usable[0]!.document;
    return [
      ...Object.values(taken.regions).map((region): Change => ({ op: "add", region })),
      ...Object.entries(taken.answers).map(([name, after]): Change => ({ op: "set", path: ["answers", name], before: null, after })),
    ];
  },
};
