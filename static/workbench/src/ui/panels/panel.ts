/** A panel of the right column: a heading that folds it, and remembers. */

import { t } from "../../core/i18n.ts";
import { h } from "../dom.ts";
import { icon } from "../icons.ts";
import { recall, remember } from "../settings.ts";

export interface Panel { readonly element: HTMLElement; readonly count: HTMLElement; close(): void; setShown(shown: boolean): void; open(): void }

export function panel(name: string, title: string, body: Node, options: { readonly folded?: boolean; readonly close?: () => void; readonly grows?: boolean } = {}): Panel {
  const count = h("span", { class: "panel-count" });
  const content = h("div", { class: "panel-body", id: `panel-${name}` }, body);
  const head = h("button", { type: "button", class: "panel-head", "aria-controls": content.id }, icon("fold", 14), h("span", { class: "panel-title" }, title), count);
  const element = h("section", { class: `panel panel-${name}${options.grows ? " is-growing" : ""}`, "aria-label": title }, h("h2", { class: "panel-heading" }, head), content);
  const set = (folded: boolean): void => {
    element.classList.toggle("is-folded", folded);
    head.setAttribute("aria-expanded", String(!folded));
    head.title = folded ? t("Unfold") : t("Fold");
    content.hidden = folded;
  };
  set(recall(`fold.${name}`, options.folded ?? false));
  head.addEventListener("mousedown", (event) => event.preventDefault());
  head.addEventListener("click", () => {
    set(!element.classList.contains("is-folded"));
    remember(`fold.${name}`, element.classList.contains("is-folded"));
  });
  return {
    element, count,
    close: () => options.close?.(),
    open: () => set(false),
    setShown: (shown) => {
      element.hidden = !shown;
    },
  };
}
