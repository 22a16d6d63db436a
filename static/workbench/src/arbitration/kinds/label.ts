/** label: all drew the object, under different labels. The chosen side's attributes come with its label. */
import { t } from "../../core/i18n.ts";
import type { DifferenceKind } from "../kind.ts";
import { replaceRegion, standing } from "../kind.ts";

export const kind: DifferenceKind = {
  name: "label",
  order: 3,
  title: () => t("Different label"),
  line: (difference, dispute) => [...new Set(Object.values(difference.values ?? {}))]
    .map((label) => dispute.labelName(typeof label === "string" ? label : null)).join(" / "),
  offer: (difference, side, dispute) => {
    const region = dispute.regionOf(difference, side);
    const attributes = Object.entries(region?.attributes ?? {}).map(([name, value]) => `${name}: ${String(value)}`).join(", ");
    return { choice: side, text: dispute.labelName(region?.label ?? null), ...(attributes ? { detail: attributes } : {}) };
  },
  none: () => t("not there"),
  edits: "value",
  apply: (document, difference, decision, dispute) => {
    const region = standing(document, difference);
    if (!region) return [];
    if (decision.choice === "none") return [{ op: "remove", region }];
    if (decision.choice === "edit") {
      return typeof decision.value === "string"
        ? replaceRegion(region, { ...region, label: decision.value, attributes: decision.attributes ?? {} }) : [];
    }
    const taken = dispute.regionOf(difference, decision.choice);
    return taken ? replaceRegion(region, { ...region, label: taken.label, attributes: taken.attributes }) : [];
  },
};
