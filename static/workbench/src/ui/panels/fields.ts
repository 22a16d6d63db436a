/** One field for one value of the schema: choice, choices, flag, text, number. Says its value, knows nothing of documents. */

import { t, titleOf } from "../../core/i18n.ts";
import type { Json, Option, Title } from "../../document/types.ts";
import { h } from "../dom.ts";

export interface FieldAbout {
  readonly name: string; readonly kind: "choice" | "choices" | "text" | "number" | "flag"; readonly title: Title; readonly options?: readonly Option[];
  readonly required?: boolean; readonly min?: number; readonly max?: number;
}

/** Above this a choice is a drop-down: buttons would fill the column. */
const MOST_BUTTONS = 7;

function isChosen(value: Json, name: string): boolean {
  return Array.isArray(value) ? value.includes(name) : value === name;
}

export function field(about: FieldAbout, value: Json, set: (value: Json) => void, id: string, mixed = false): HTMLElement {
  const title = h("span", { class: "field-title", id: `${id}-title` }, titleOf(about.title) || about.name,
    about.required ? h("span", { class: "field-required", title: t("Required") }, " *") : null, mixed ? h("span", { class: "quiet" }, ` ${t("(differs)")}`) : null);
  const wrap = (...children: (Node | string)[]): HTMLElement => {
    const empty = value === null || value === "" || (Array.isArray(value) && value.length === 0);
    return h("div", { class: `field-row is-${about.kind}${about.required && empty && !mixed ? " is-lacking" : ""}`, "data-field": about.name }, ...children);
  };
  const options = about.options ?? [];
  switch (about.kind) {
    case "flag": {
      const box = h("input", { type: "checkbox", checked: value === true, onchange: () => set(box.checked ? true : about.required ? false : null) });
      if (mixed) box.indeterminate = true;
      return wrap(h("label", { class: "field-flag" }, box, title));
    }
    case "choice":
      if (options.length > MOST_BUTTONS) {
        const select = h("select", { class: "field", "aria-labelledby": `${id}-title`, onchange: () => set(select.value === "" ? null : select.value) },
          h("option", { value: "" }, "–"), ...options.map((option) => h("option", { value: option.name, ...(isChosen(value, option.name) ? { selected: true } : {}) }, titleOf(option.title) || option.name)));
        return wrap(title, select);
      }
      return wrap(title, h("div", { class: "choices", role: "radiogroup", "aria-labelledby": `${id}-title` }, ...options.map((option) => {
        const radio = h("input", { type: "radio", name: id, value: option.name, checked: isChosen(value, option.name), onchange: () => set(option.name) });
        // A second click takes an optional answer back: radios alone cannot.
        radio.addEventListener("click", () => {
          if (!about.required && isChosen(value, option.name)) set(null);
        });
        return h("label", { class: "choice" }, radio, h("span", null, titleOf(option.title) || option.name, option.hotkey ? h("kbd", null, option.hotkey) : null));
      })));
    case "choices":
      return wrap(title, h("div", { class: "choices", role: "group", "aria-labelledby": `${id}-title` }, ...options.map((option) => {
        const box = h("input", { type: "checkbox", value: option.name, checked: isChosen(value, option.name), onchange: () => {
          const now = new Set(Array.isArray(value) ? (value as string[]) : []);
          if (box.checked) now.add(option.name);
          else now.delete(option.name);
          // In the schema's order, so that two people who ticked the same in another order have said the same.
          const next = options.map(({ name }) => name).filter((name) => now.has(name));
          set(next.length > 0 ? next : null);
        } });
        return h("label", { class: "choice" }, box, h("span", null, titleOf(option.title) || option.name));
      })));
    case "number": {
      const input = h("input", { type: "number", class: "field", step: "any", "aria-labelledby": `${id}-title`, value: typeof value === "number" ? String(value) : "",
        ...(about.min !== undefined ? { min: about.min } : {}), ...(about.max !== undefined ? { max: about.max } : {}) });
      input.addEventListener("change", () => {
        const number = input.valueAsNumber;
        if (input.value !== "" && (!Number.isFinite(number) || !input.validity.valid)) {
          input.reportValidity();
          return;
        }
        set(input.value === "" ? null : number);
      });
      return wrap(title, input);
    }
    case "text": {
      const input = h("textarea", { class: "field", rows: 1, "aria-labelledby": `${id}-title`, maxlength: 10000 });
      input.value = typeof value === "string" ? value : "";
      // On leaving, not at each letter: an input method rewrites what it has typed.
      input.addEventListener("change", () => set(input.value.trim() === "" ? null : input.value));
      return wrap(title, input);
    }
  }
}
