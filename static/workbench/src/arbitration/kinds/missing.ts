/** missing: some drew it, the others did not. Taking a side without a region means: it is not there. */
import { t } from "../../core/i18n.ts";
import { textOf } from "../../shapes/registry.ts";
import type { DifferenceKind } from "../kind.ts";
import { standing } from "../kind.ts";

export const kind: DifferenceKind = {
  name: "missing",
  order: 1,
  title: () => t("Drawn by some only"),
  line: (difference, dispute) => dispute.labelName(difference.label),
  offer: (difference, side, dispute) => {
    const region = dispute.regionOf(difference, side);
    return region
      ? { choice: side, text: dispute.labelName(region.label), detail: textOf(region) }
      : { choice: side, text: t("not there") };
  },
  none: () => t("not there"),
  edits: "region",
  apply: (document, difference, decision, dispute) => {
    const region = decision.choice === "edit" ? decision.region : decision.choice === "none" ? null
      : dispute.regionOf(difference, decision.choice);
    return region && !standing(document, difference) ? [{ op: "add", region }] : [];
  },
};
