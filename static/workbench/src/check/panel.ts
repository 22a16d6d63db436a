/**
 * Check mode: the same bench with the document under check, and in the place of submit: pass, mend, return. A mend is
 * nothing but edits: as soon as the document differs, the one button accepts it as mended.
 */
import { documentDigest } from "../document/digest.ts";
import { t, tn } from "../core/i18n.ts";
import type { Mark } from "../document/types.ts";
import { composing } from "../input/keymap.ts";
import type { BenchContext } from "../ui/context.ts";
import { ask } from "../ui/dialog.ts";
import { fill, h } from "../ui/dom.ts";
import { errorType } from "../ui/panels/notes.ts";
import { canReturn, withMark } from "./marks.ts";

export interface CheckPanel { readonly element: HTMLElement; close(): void }

export function checkPanel(context: BenchContext, selected: () => ReadonlySet<string>): CheckPanel {
  const { work, history, actions } = context;
  const types = work.check?.error_types ?? [];
  const start = documentDigest(work.document);
  const stop = new AbortController();
  let marks: readonly Mark[] = [];
  let busy = false;

  // A seat that was mended in an earlier sitting opens with its mends: only a first revision is the document under check.
  const mended = (): boolean => work.assignment.revision > 0 || documentDigest(history.document) !== start;

  async function settle(outcome: "pass" | "mend" | "return", more?: { error_type?: string; marks?: readonly Mark[] }): Promise<void> {
    if (busy) return;
    busy = true;
    try {
      await actions.outcome?.(outcome, more);
    } finally {
      busy = false;
    }
  }

  const accept = h("button", { type: "button", class: "button is-primary", "data-action": "pass", onclick: () => void settle(mended() ? "mend" : "pass") });
  const mark = h("button", { type: "button", class: "button", "data-action": "mark", onclick: () => void addMark() });
  const back = h("button", { type: "button", class: "button", "data-action": "return", onclick: () => void giveBack() }, t("Return…"));
  const element = h("div", { class: "check-panel" }, mark, back, accept);

  function draw(): void {
    fill(accept, mended() ? t("Accept as mended") : t("Pass"), h("kbd", null, "Ctrl ⏎"));
    fill(mark, t("Mark…"), marks.length > 0 ? h("span", { class: "count" }, String(marks.length)) : null);
  }

  function typeField(chosen: string): { element: HTMLElement; value(): string } {
    const radios = types.map((type) => h("input", { type: "radio", name: "error_type", value: type, checked: type === chosen }));
    return {
      element: h("div", { class: "reasons", role: "radiogroup", "aria-label": t("Kind of error") }, ...types.map((type, index) =>
        h("label", { class: "reason" }, radios[index]!, h("span", null, errorType(type))))),
      value: () => radios.find((radio) => radio.checked)?.value ?? "",
    };
  }

  /** A remark on what is selected, or on the item as a whole; it goes with a return. */
  async function addMark(): Promise<void> {
    const regions = [...selected()];
    const kind = typeField(marks.at(-1)?.error_type ?? "");
    const text = h("textarea", { class: "field", rows: 3, maxlength: 500, "aria-label": t("What is wrong"), autofocus: true });
    const answer = await ask(element.closest<HTMLElement>(".bench") ?? document.body, {
      title: t("Mark an error"), body: h("div", null, kind.element, text),
      text: regions.length === 0 ? t("Nothing is selected: the mark is about the whole item.")
        : tn("The mark is about {n} selected object.", "The mark is about {n} selected objects.", regions.length),
      actions: [{ name: "cancel", title: t("Back") }, { name: "add", title: t("Add the mark"), primary: true }],
      check: (action) => (action === "add" && text.value.trim() === "" ? t("Say what is wrong.") : null),
    });
    if (answer !== "add") return;
    marks = withMark(marks, regions, text.value.trim(), kind.value());
    draw();
  }

  async function giveBack(): Promise<void> {
    const kind = typeField(marks[0]?.error_type ?? "");
    const text = h("textarea", { class: "field", rows: 3, maxlength: 500, "aria-label": t("To the annotator"), placeholder: t("To the annotator (not needed where marks say it)") });
    const list = h("ul", { class: "marks" }, ...marks.map((one, index) => h("li", null,
      one.error_type ? h("span", { class: "mark-type" }, errorType(one.error_type)) : null, h("span", null, one.text),
      h("button", { type: "button", class: "icon-button", "aria-label": t("Take this mark off"), onclick: (event: Event) => {
        marks = marks.filter((_, at) => at !== index);
        (event.currentTarget as HTMLElement).closest("li")?.remove();
        draw();
      } }, "✕"))));
    const answer = await ask(element.closest<HTMLElement>(".bench") ?? document.body, {
      title: t("Return for rework"), text: t("It goes back to the person who labelled it, with your marks. Your own edits are not kept."),
      body: h("div", null, kind.element, list, text),
      actions: [{ name: "cancel", title: t("Back") }, { name: "return", title: t("Return"), bad: true }],
      check: (action) => (action === "return" ? canReturn(kind.value(), marks, text.value) : null),
    });
    if (answer !== "return") return;
    await settle("return", { error_type: kind.value(), marks: text.value.trim() === "" ? marks : withMark(marks, [], text.value.trim(), kind.value()) });
  }

  const off = history.subscribe(draw);
  document.addEventListener("keydown", (event) => {
    if (composing(event) || event.repeat || event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    accept.click();
  }, { signal: stop.signal });
  draw();
  return {
    element,
    close: () => {
      off();
      stop.abort();
    },
  };
}
