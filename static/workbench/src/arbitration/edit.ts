/**
 * Editing one region for a verdict: the ordinary bench on a scratch history that holds what would be accepted so far and
 * the region in question. Nothing of it is saved or sent; taking it hands the region back to the decision.
 */
import { t } from "../core/i18n.ts";
import { apply } from "../document/changes.ts";
import { History } from "../document/history.ts";
import type { Document, Region } from "../document/types.ts";
import { openTextBench } from "../text/bench.ts";
import { openBench } from "../ui/bench.ts";
import type { BenchContext, SaveStatus } from "../ui/context.ts";
import { h } from "../ui/dom.ts";
import { Store } from "../ui/store.ts";
import { takenFrom } from "./taken.ts";

/** `instead`: ids under which the object may stand in `around`; they make room for the region under edit. */
export function editRegion(
  host: HTMLElement, context: BenchContext, around: Document, region: Region, instead: readonly string[],
): Promise<Region | null> {
  return new Promise((resolve) => {
    const away = [...new Set([...instead, region.id])].map((id) => around.regions[id]).filter((one): one is Region => one !== undefined);
    const rest = apply(around, away.map((one) => ({ op: "remove", region: one })));
    const start = apply(rest, [{ op: "add", region }]);
    const history = new History(start);
    const finish = (result: Region | null): void => {
      bench.close();
      holder.remove();
      resolve(result);
    };
    const take = (): void => finish(takenFrom(start, history.document, region));
    const outcome = h("div", { class: "check-panel" },
      h("button", { type: "button", class: "button", onclick: () => finish(null) }, t("Back")),
      h("button", { type: "button", class: "button is-primary", "data-action": "take", onclick: take }, t("Take this")));
    const scratch: BenchContext = {
      boot: context.boot, history, parts: context.parts, outcome,
      // As a check: the bench then offers the tools but neither submit nor skip of its own.
      work: { ...context.work, document: start, prelabels: [], marks: [], assignment: { ...context.work.assignment, stage: "check", parkable: false } },
      status: new Store<SaveStatus>({ state: "saved", message: "" }),
      actions: { submit: take, skip: () => finish(null), unusable: () => finish(null) },
      ...(region.asset === null ? {} : { asset: region.asset }),
    };
    const holder = h("div", { class: "arbitration-edit" });
    host.append(holder);
    const bench = region.shape === "span" ? openTextBench(holder, scratch) : openBench(holder, scratch);
    bench.focus(region.id);
  });
}
