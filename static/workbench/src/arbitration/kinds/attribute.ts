/** attribute: same object, same label, another value of one required attribute. */
import { t, titleOf } from "../../core/i18n.ts";
import { labelNamed } from "../../document/select.ts";
import type { DifferenceKind } from "../kind.ts";
import { replaceRegion, standing } from "../kind.ts";

export const kind: DifferenceKind = {
  name: "attribute",
  order: 4,
  title: () => t("Different attribute"),
  line: (difference, dispute) => {
    const attribute = labelNamed(dispute.schema, difference.label ?? "")?.attributes?.find((one) => one.name === difference.field);
    return `${dispute.labelName(difference.label)}: ${titleOf(attribute?.title) || difference.field || ""}`;
  },
  offer: (difference, side, dispute) => ({ choice: side, text: dispute.valueText(difference, difference.values?.[side] ?? null) }),
  none: () => t("no value"),
  edits: "value",
  apply: (document, difference, decision) => {
    const region = standing(document, difference);
    const field = difference.field;
    if (!region || field === undefined) return [];
    const value = decision.choice === "none" ? null : decision.choice === "edit" ? decision.value ?? null : difference.values?.[decision.choice] ?? null;
    const { [field]: _before, ...others } = region.attributes;
    return replaceRegion(region, { ...region, attributes: value === null ? others : { ...others, [field]: value } });
  },
};
