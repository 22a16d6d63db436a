/** What others said: the marks of a return, the guideline, the fields of the item that the project shows. */

import { t, titleOf } from "../../core/i18n.ts";
import type { BenchCore } from "../core.ts";
import { h } from "../dom.ts";
import { markdown } from "../markdown.ts";
import { panel, type Panel } from "./panel.ts";

const ERRORS: { readonly [type: string]: () => string } = {
  missed: () => t("missed"), extra: () => t("extra"), wrong_label: () => t("wrong label"), wrong_extent: () => t("wrong extent"),
  wrong_attribute: () => t("wrong attribute"), wrong_relation: () => t("wrong relation"),
};

export function errorType(type: string): string {
  return ERRORS[type]?.() ?? type;
}

export function marksPanel(core: BenchCore): Panel | null {
  const { marks } = core.context.work;
  if (marks.length === 0) return null;
  const list = h("ul", { class: "marks" }, ...marks.map((mark) => h("li", null, h("button", { type: "button", class: "mark", onclick: () => {
    if (!mark.region) return;
    if (core.document.regions[mark.region]) core.select([mark.region]);
    core.reveal(mark.region);
  } }, mark.error_type ? h("span", { class: "mark-type" }, errorType(mark.error_type)) : null, h("span", null, mark.text)))));
  const made = panel("marks", t("Returned to you"), list);
  made.count.textContent = String(marks.length);
  return made;
}

export function guidePanel(core: BenchCore): Panel | null {
  const text = titleOf(core.schema.guideline?.text);
  const metadata = Object.entries(core.context.work.item.metadata);
  if (text === "" && metadata.length === 0) return null;
  return panel("guide", t("Guideline"), h("div", { class: "guide" }, text === "" ? null : markdown(text),
    metadata.length === 0 ? null : h("dl", { class: "metadata" }, ...metadata.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, typeof value === "string" ? value : JSON.stringify(value))]))), { folded: window.innerHeight < 850 });
}
