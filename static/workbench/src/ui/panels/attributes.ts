/** What is to be said of the selected objects: the attributes of their label, for several at once where they share it. */

import { t } from "../../core/i18n.ts";
import { labelNamed } from "../../document/select.ts";
import type { Json } from "../../document/types.ts";
import { setAttribute } from "../../tools/edits.ts";
import type { BenchCore } from "../core.ts";
import { fill, h, setText, setVar } from "../dom.ts";
import { field } from "./fields.ts";
import { panel, type Panel } from "./panel.ts";

export function attributesPanel(core: BenchCore): Panel {
  const body = h("div", { class: "attributes" });
  let key = "";
  const draw = (): void => {
    const regions = core.selected;
    const labels = new Set(regions.map((region) => region.label));
    const label = labels.size === 1 ? labelNamed(core.schema, [...labels][0]!) : undefined;
    const attributes = label?.attributes ?? [];
    made.setShown(regions.length > 0);
    setText(made.count, regions.length > 1 ? String(regions.length) : "");
    // Rebuilding takes the focus away from a field that is being used: only when something it shows has changed.
    const now = JSON.stringify([regions.map((region) => [region.id, region.label, region.attributes, region.origin]), attributes.length]);
    if (now === key) return;
    key = now;
    const held = document.activeElement instanceof HTMLElement && body.contains(document.activeElement) ? document.activeElement.closest<HTMLElement>("[data-field]")?.dataset["field"] : undefined;
    const heldValue = document.activeElement instanceof HTMLInputElement ? document.activeElement.value : undefined;
    const head = regions.length === 0 ? null : h("div", { class: "attributes-head" }, (() => {
      const swatch = h("span", { class: "swatch" });
      setVar(swatch, "--swatch", labels.size === 1 ? core.colorOf(regions[0]!.label) : "transparent");
      return swatch;
    })(), h("span", { class: "region-name" }, labels.size === 1 ? core.nameOf(regions[0]!.label) : t("{n} labels", { n: labels.size })),
      regions.length === 1 ? h("span", { class: "quiet" }, originText(core, regions[0]!.origin)) : null);
    fill(body, head, ...attributes.map((attribute) => {
      const values = regions.map((region) => region.attributes[attribute.name] ?? null);
      const mixed = values.some((value) => JSON.stringify(value) !== JSON.stringify(values[0]));
      return field(attribute, mixed ? null : values[0] ?? null, (value: Json) => {
        core.commit(core.selected.flatMap((region) => setAttribute(region, attribute.name, value)), "attribute");
      }, `attr-${attribute.name}`, mixed);
    }), regions.length > 0 && attributes.length === 0 ? h("p", { class: "quiet" }, labels.size === 1 ? t("This label has no attributes.") : t("Objects of different labels share no attributes.")) : null);
    if (held !== undefined) {
      const row = body.querySelector<HTMLElement>(`[data-field="${CSS.escape(held)}"]`);
      (row?.querySelector<HTMLElement>(`input[value="${CSS.escape(heldValue ?? "")}"]`) ?? row?.querySelector<HTMLElement>("input, select, textarea"))?.focus();
    }
  };
  const made = panel("attributes", t("Attributes"), body, { close: () => off.forEach((stop) => stop()) });
  const off = [
    core.context.history.subscribe(draw),
    core.state.subscribe((now, before) => {
      if (now.selection !== before.selection) draw();
    }),
  ];
  draw();
  return made;
}

function originText(_core: BenchCore, origin: { readonly kind: string; readonly source?: string }): string {
  switch (origin.kind) {
    case "kept": return t("kept from {source}", { source: origin.source ?? "" });
    case "edited": return t("kept and edited, from {source}", { source: origin.source ?? "" });
    case "copied": return t("copied");
    case "bulk": return t("set in bulk");
    case "imported": return t("imported");
    default: return t("drawn");
  }
}
