/** extent: all drew the object, too far apart. The object keeps its id and takes the chosen outline. */
import { t } from "../../core/i18n.ts";
import { textOf } from "../../shapes/registry.ts";
import type { DifferenceKind } from "../kind.ts";
import { replaceRegion, standing } from "../kind.ts";

export const kind: DifferenceKind = {
  name: "extent",
  order: 2,
  title: () => t("Different extent"),
  line: (difference, dispute) => dispute.labelName(difference.label),
  offer: (difference, side, dispute) => {
    const region = dispute.regionOf(difference, side);
    return { choice: side, text: region ? textOf(region) : t("not there") };
  },
  none: () => t("not there"),
  edits: "region",
  apply: (document, difference, decision, dispute) => {
    const region = standing(document, difference);
    if (!region) return [];
    if (decision.choice === "none") return [{ op: "remove", region }];
    const taken = decision.choice === "edit" ? decision.region : dispute.regionOf(difference, decision.choice);
    return taken ? replaceRegion(region, { ...region, shape: taken.shape, geometry: taken.geometry, origin: taken.origin }) : [];
  },
};
