/** Questions about the whole item. What a prelabel proposes stands beside as a dashed button, never as an answer. */

import { t, titleOf } from "../../core/i18n.ts";
import { answerControls } from "../../document/select.ts";
import type { Control, Json } from "../../document/types.ts";
import { setAnswer } from "../../tools/edits.ts";
import type { BenchCore } from "../core.ts";
import { fill, h } from "../dom.ts";
import { field, type FieldAbout } from "./fields.ts";
import { panel, type Panel } from "./panel.ts";

function shown(control: Control, value: Json): string {
  const one = (name: Json): string => titleOf(control.options?.find((option) => option.name === name)?.title) || String(name);
  return Array.isArray(value) ? value.map(one).join(", ") : one(value);
}

/** null: the schema asks nothing of the item as a whole. */
export function answersPanel(core: BenchCore): Panel | null {
  const controls = answerControls(core.schema);
  if (controls.length === 0) return null;
  const body = h("div", { class: "answers" });
  let key = "";
  const draw = (): void => {
    const now = JSON.stringify(core.document.answers);
    if (now === key) return;
    key = now;
    const held = document.activeElement instanceof HTMLInputElement && body.contains(document.activeElement) ? { name: document.activeElement.name, value: document.activeElement.value } : null;
    fill(body, ...controls.map((control) => {
      const value = core.document.answers[control.name] ?? null;
      const set = (next: Json): void => {
        core.commit(setAnswer(core.document, control.name, next), "answer");
      };
      const proposals = core.context.work.prelabels.flatMap((prelabel) => {
        const proposed = prelabel.answers[control.name];
        return proposed === undefined || proposed === null || JSON.stringify(proposed) === JSON.stringify(value) ? [] : [{ prelabel, proposed }];
      });
      return h("div", { class: "answer" }, field(control as FieldAbout, value, set, `answer-${control.name}`),
        ...proposals.map(({ prelabel, proposed }) => h("button", { type: "button", class: "proposal", title: t("Proposed by {source}: click to take it over", { source: prelabel.source }),
          onclick: () => set(proposed) }, `◇ ${shown(control, proposed)}`)));
    }));
    if (held) [...body.querySelectorAll("input")].find((input) => input.name === held.name && input.value === held.value)?.focus();
  };
  const off = core.context.history.subscribe(draw);
  draw();
  return panel("answers", t("About the whole item"), body, { close: off });
}

/** A digit or letter that an option names as its own key; true when it answered. */
export function answerByKey(core: BenchCore, key: string): boolean {
  for (const control of answerControls(core.schema)) {
    const option = control.options?.find((one) => one.hotkey === key);
    if (!option) continue;
    const now = core.document.answers[control.name] ?? null;
    const next: Json = control.kind === "choices"
      ? (() => {
        const chosen = new Set(Array.isArray(now) ? (now as string[]) : []);
        if (!chosen.delete(option.name)) chosen.add(option.name);
        return control.options!.map(({ name }) => name).filter((name) => chosen.has(name));
      })()
      : option.name;
    core.commit(setAnswer(core.document, control.name, next), "answer");
    core.say(`${titleOf(control.title) || control.name}: ${shown(control, next)}`);
    return true;
  }
  return false;
}
