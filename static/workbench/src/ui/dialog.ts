/** Questions that must be answered, as native dialogs: the browser keeps the focus inside and gives it back. */

import { t } from "../core/i18n.ts";
import { h } from "./dom.ts";

export interface Choice { readonly name: string; readonly title: string; readonly primary?: boolean; readonly bad?: boolean }

export interface Question {
  readonly title: string;
  readonly text?: string;
  readonly body?: Node;
  readonly actions: readonly Choice[];
  readonly wide?: boolean;
  /** Asked when an action is pressed; a text keeps the dialog open and is shown. */
  check?(action: string): string | null;
}

/** The name of the pressed action, or null when it was closed. */
export function ask(host: HTMLElement, question: Question): Promise<string | null> {
  return new Promise((resolve) => {
    const problem = h("p", { class: "dialog-problem", role: "alert" });
    const dialog = h("dialog", { class: question.wide ? "dialog is-wide" : "dialog", "aria-label": question.title });
    let answer: string | null = null;
    const buttons = question.actions.map((action) => h("button", {
      type: "button", class: `button${action.primary ? " is-primary" : ""}${action.bad ? " is-bad" : ""}`, "data-action": action.name,
      onclick: () => {
        const why = question.check?.(action.name) ?? null;
        problem.textContent = why ?? "";
        if (why !== null) return;
        answer = action.name;
        dialog.close();
      },
    }, action.title));
    dialog.append(
      h("header", { class: "dialog-head" }, h("h2", null, question.title),
        h("button", { type: "button", class: "icon-button", "aria-label": t("Close"), onclick: () => dialog.close() }, "✕")),
      h("div", { class: "dialog-body" }, question.text ? h("p", null, question.text) : null, question.body ?? null, problem),
    );
    if (buttons.length > 0) dialog.append(h("footer", { class: "dialog-foot" }, ...buttons));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    host.append(dialog);
    dialog.showModal();
    (dialog.querySelector<HTMLElement>("[autofocus]") ?? buttons.find((_, i) => question.actions[i]!.primary) ?? dialog.querySelector<HTMLElement>("button"))?.focus();
  });
}

/** A reason from a short list (digits choose), or in own words. null: not said, so nothing happens. */
export async function askReason(host: HTMLElement, about: { readonly title: string; readonly text: string; readonly reasons: readonly string[]; readonly action: string; readonly bad?: boolean }): Promise<string | null> {
  const own = h("textarea", { class: "field", rows: 2, maxlength: 500, "aria-label": t("In own words"), placeholder: t("In own words") });
  const radios = about.reasons.map((reason, index) => h("input", { type: "radio", name: "reason", value: reason, ...(index === 0 ? { autofocus: true } : {}) }));
  const list = h("div", { class: "reasons", role: "radiogroup", "aria-label": about.title }, ...about.reasons.map((reason, index) =>
    h("label", { class: "reason" }, radios[index]!, h("kbd", null, String(index + 1)), h("span", null, reason))));
  own.addEventListener("input", () => {
    if (own.value.trim() !== "") for (const radio of radios) radio.checked = false;
  });
  list.addEventListener("keydown", (event) => {
    const radio = radios[Number(event.key) - 1];
    if (radio && !event.ctrlKey && !event.altKey) {
      radio.checked = true;
      radio.focus();
    } else if (event.key === "Enter") {
      event.preventDefault();
      list.closest("dialog")?.querySelector<HTMLElement>("button.is-primary, button.is-bad")?.click();
    }
  });
  const said = (): string => own.value.trim() || (radios.find((radio) => radio.checked)?.value ?? "");
  const answer = await ask(host, {
    title: about.title, text: about.text, body: h("div", null, list, own),
    actions: [{ name: "cancel", title: t("Back") }, { name: "go", title: about.action, primary: !about.bad, ...(about.bad ? { bad: true } : {}) }],
    check: (action) => (action === "go" && said() === "" ? t("Choose a reason or write one.") : null),
  });
  return answer === "go" ? said() : null;
}
