/** How a task ends, for benches of every kind: submit shows the first empty required field, skip and unusable ask why. */

import { t } from "../core/i18n.ts";
import { missingOf } from "../document/select.ts";
import type { BenchCore } from "./core.ts";
import { askReason } from "./dialog.ts";

export interface Ends { submit(): Promise<void>; end(how: "skip" | "unusable"): Promise<void> }

/** `unusable`: reasons that fit what the bench shows. `back` puts the focus where the hand was. */
export function endsOf(core: BenchCore, root: () => HTMLElement, unusable: readonly string[], back: () => void): Ends {
  let ending = false;
  const once = async (run: () => Promise<void> | void): Promise<void> => {
    ending = true;
    try {
      await run();
    } finally {
      ending = false;
    }
  };
  return {
    async submit() {
      if (ending) return;
      core.rest();
      const missing = missingOf(core.schema, core.document);
      const first = missing[0];
      if (!first) return once(() => core.context.actions.submit());
      root().classList.add("is-checked");
      if (first.region) {
        core.select([first.region]);
        core.reveal(first.region);
      }
      const field = root().querySelector<HTMLElement>(`[data-field="${CSS.escape(first.attribute ?? first.control ?? "")}"] :is(input, select, textarea)`);
      field?.scrollIntoView({ block: "nearest" });
      field?.focus();
      core.say(missing.length === 1 ? t("One required field is empty.")
        : t("{n} required fields are empty; this is the first.", { n: missing.length }), "warn");
    },
    async end(how) {
      if (ending) return;
      core.rest();
      const reason = how === "skip"
        ? await askReason(root(), {
          title: t("Skip this item"), action: t("Skip"),
          text: t("It goes back to the queue for somebody else. What you have drawn is kept as a draft of yours."),
          reasons: [t("I am not sure about the rules"), t("Too hard to see"), t("Not my field"), t("Something is wrong with the page")],
        })
        : await askReason(root(), {
          title: t("Mark as unusable"), action: t("Unusable"), bad: true, reasons: unusable,
          text: t("You say that nobody should label this item. That is an answer, and it is compared like one."),
        });
      back();
      if (reason !== null) await once(() => core.context.actions[how](reason));
    },
  };
}
