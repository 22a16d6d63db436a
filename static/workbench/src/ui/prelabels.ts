/** The prelabels in the foot of a bench: whose they are, how many are open, keep, drop, next. Knows no kind of asset. */

import { t } from "../core/i18n.ts";
import type { BenchCore } from "./core.ts";
import { h } from "./dom.ts";
import { quietButton } from "./frame.ts";
import { icon } from "./icons.ts";

export function prelabelCommands(core: BenchCore): void {
  if (core.context.work.prelabels.length === 0) return;
  const group = t("Prelabels");
  const add = (name: string, title: string, run: () => void): void => core.command(name, { title, group, run });
  add("keep", t("Keep the prelabel"), () => core.keepCandidate());
  add("drop", t("Drop the prelabel"), () => core.dropCandidate());
  add("next_prelabel", t("Next prelabel"), () => core.nextCandidate());
  add("restore_dropped", t("Bring the last dropped prelabel back"), () => core.restoreDropped());
  add("hide_prelabels", t("Hide or show prelabels"), () => core.state.set({ prelabelsHidden: !core.state.get().prelabelsHidden, candidate: null }));
}

/** Draws into `foot`; call again when document or state changed. */
export function drawPrelabels(core: BenchCore, foot: HTMLElement): void {
  const { prelabels } = core.context.work;
  if (prelabels.length === 0) return;
  const open = core.candidates();
  const { prelabelsHidden, dropped, candidate } = core.state.get();
  const sets = prelabels.map((prelabel) => h("span", {
    class: "prelabel-set",
    title: prelabel.score === null || prelabel.score === undefined ? prelabel.source : `${prelabel.source} · ${prelabel.score.toFixed(2)}`,
  }, prelabel.source, h("span", { class: "prelabel-n" }, String(open.filter((one) => one.prelabel.id === prelabel.id).length))));
  const at = open.findIndex(({ key }) => key === candidate);
  const act = (name: string, text: string): HTMLButtonElement => quietButton(name, core.commands.get(name)!.title, core.keys.shown(name),
    h("span", null, text, h("kbd", null, core.keys.shown(name))), () => core.run(name), "foot-button");
  foot.replaceChildren(
    h("span", { class: "foot-title" }, "◇ ", t("prelabels")), ...sets,
    ...(open.length > 0 ? [h("span", { class: "foot-actions" }, act("keep", t("keep")), act("drop", t("drop")),
      act("next_prelabel", at >= 0 ? t("next ({n} of {total})", { n: at + 1, total: open.length }) : t("next")))]
      : prelabelsHidden ? [] : [h("span", { class: "quiet" }, t("all looked at"))]),
    ...(dropped.size > 0 ? [act("restore_dropped", t("{n} dropped: bring back", { n: dropped.size }))] : []),
    quietButton("hide_prelabels", core.commands.get("hide_prelabels")!.title, core.keys.shown("hide_prelabels"),
      icon(prelabelsHidden ? "hide" : "show", 16), () => core.run("hide_prelabels")));
}
