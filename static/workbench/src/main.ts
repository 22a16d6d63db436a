/**
 * Boot of the bench: reads what the page hands over, opens the seat, picks the bench for it, and goes from task to task
 * in place. Everything that concerns the page as a whole (signing out, closing, coming back) is here and nowhere else.
 */
import "./generated/bench.css";
import { openArbitration } from "./arbitration/bench.ts";
import { checkPanel } from "./check/panel.ts";
import { newIdempotencyKey } from "./core/ids.ts";
import { setLanguage, t } from "./core/i18n.ts";
import { duration } from "./core/time.ts";
import { diff } from "./document/diff.ts";
import type { Asset, Boot, Document, Work } from "./document/types.ts";
import { ActiveTime } from "./sync/active.ts";
import { Api } from "./sync/api.ts";
import { AHEAD_BEAT_MS, Flow, type NothingNow } from "./sync/flow.ts";
import { loadPicture } from "./sync/pictures.ts";
import type { Submitted } from "./sync/saver.ts";
import { openSession, reasonOf, type Session } from "./sync/session.ts";
import { onForget, onPresent, openStore, type OutboxStore } from "./sync/store.ts";
import { openTextBench } from "./text/bench.ts";
import { openBench } from "./ui/bench.ts";
import { ask } from "./ui/dialog.ts";
import { fill, h, setText } from "./ui/dom.ts";
import { toast } from "./ui/toast.ts";

interface OpenBench { close(): void; readonly selection?: ReadonlySet<string> }

class Page {
  readonly #host: HTMLElement;
  readonly #boot: Boot;
  readonly #api: Api;
  readonly #store: OutboxStore;
  readonly #active = new ActiveTime(Date.now(), document.visibilityState === "visible");
  readonly #flow: Flow;
  #session: Session | null = null;
  #bench: OpenBench | null = null;
  #check: { close(): void } | null = null;
  #unlock: (() => void) | null = null;
  #asset: string | undefined;
  #notice: HTMLElement | null = null;
  #noticeTimer = 0;

  constructor(host: HTMLElement, boot: Boot, store: OutboxStore) {
    this.#host = host;
    this.#boot = boot;
    this.#store = store;
    this.#api = new Api(boot.csrf);
    this.#flow = new Flow(this.#api, boot.work.project.id, boot.work.assignment.stage, (asset: Asset) => void loadPicture(asset).catch(() => undefined));
    this.#listen();
  }

  #listen(): void {
    const seen = (): void => this.#active.input(Date.now());
    for (const name of ["pointerdown", "pointermove", "keydown", "wheel"] as const) {
      document.addEventListener(name, seen, { capture: true, passive: true });
    }
    document.addEventListener("visibilitychange", () => {
      this.#active.visible(Date.now(), document.visibilityState === "visible");
      this.#session?.saver.wake();
    });
    window.addEventListener("online", () => this.#session?.saver.wake());
    window.addEventListener("focus", () => this.#session?.saver.wake());
    window.addEventListener("pagehide", () => {
      this.#session?.saver.wake();
      this.#flow.release();
    });
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      this.#flow.reopen();
      void this.#flow.prepare();
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.#session?.saver.fragile) event.preventDefault();
    });
    // The address names the seat; going back to another seat's address means loading that page.
    window.addEventListener("popstate", () => location.reload());
    window.setInterval(() => {
      if (this.#active.recently(Date.now())) void this.#flow.beat();
    }, AHEAD_BEAT_MS);
    onPresent(this.#boot.account.id, () => this.#session?.saver.wake());
    onForget(this.#boot.account.id, () => {
      this.#session?.close();
      location.assign(this.#boot.urls["signIn"] ?? "/sign-in");
    });
  }

  // --- one seat ---

  async open(work: Work): Promise<void> {
    if (!await this.#claimWindow(work)) return;
    this.#asset = undefined;
    const session = this.#session = await openSession(this.#boot, work, this.#api, this.#store, this.#active, {
      done: (how, answer) => this.#done(work, how, answer),
      submitting: () => this.#flow.begin(),
      leave: async () => {
        await this.#session?.saver.flush();
        location.assign(this.#boot.urls["desk"] ?? "/");
      },
      say: (message) => toast(message, "bad"),
      busy: (on) => { this.#host.inert = on; },
      events: {
        conflict: (mine, theirs) => void this.#bothSides(mine, theirs),
        lost: (parked) => void this.#lost(parked),
        restored: (n) => { if (n > 0) toast(t("Work of an earlier sitting was found here and put back."), "info"); },
      },
    });
    document.title = `${work.item.key ?? work.item.id} · ${work.project.title}`;
    session.context.status.subscribe((now, before) => {
      if (now.state === "signed_out" && before.state !== "signed_out") this.#signedOut();
      if (now.state !== "signed_out" && before.state === "signed_out") this.#hideNotice();
    });
    if (session.context.status.get().state === "signed_out") this.#signedOut();
    await this.#show();
    void this.#flow.prepare();
  }

  #closeSeat(): void {
    this.#check?.close();
    this.#bench?.close();
    this.#session?.close();
    this.#unlock?.();
    this.#check = this.#bench = this.#session = this.#unlock = null;
  }

  async #show(): Promise<void> {
    const session = this.#session!;
    const { work } = session.context;
    this.#check?.close();
    this.#bench?.close();
    this.#check = null;
    this.#host.replaceChildren();
    if (work.assignment.stage === "arbitrate") {
      this.#bench = await openArbitration(this.#host, {
        context: session.context, api: this.#api, store: this.#store, active: this.#active,
        done: () => this.#done(work, "settled", null), leave: () => location.assign(this.#boot.urls["desk"] ?? "/"),
      });
      return;
    }
    let context = this.#asset === undefined ? session.context : { ...session.context, asset: this.#asset };
    if (work.assignment.stage === "check") {
      const panel = this.#check = checkPanel(context, () => this.#bench?.selection ?? new Set());
      context = { ...context, outcome: panel.element };
    }
    const { assets } = work.item;
    const asset = assets.find((one) => one.id === this.#asset) ?? assets.find((one) => one.kind === "image") ?? assets[0];
    if (!asset) {
      fill(this.#host, h("div", { class: "bench-end" }, h("h1", null, t("This item has no file that can be shown."))));
      return;
    }
    this.#bench = asset.kind === "text" ? openTextBench(this.#host, { ...context, asset: asset.id }) : openBench(this.#host, { ...context, asset: asset.id });
    if (assets.length > 1) this.#tabs(assets, asset);
  }

  /** An item of several files: one tab each, all on the one history. */
  #tabs(assets: readonly Asset[], shown: Asset): void {
    const tabs = h("div", { class: "asset-tabs", role: "tablist", "aria-label": t("Files of this item") }, ...assets.map((asset) => h("button", {
      type: "button", class: "asset-tab", role: "tab", "aria-selected": String(asset === shown), "data-asset": asset.id,
      onclick: () => {
        if (asset === shown) return;
        this.#asset = asset.id;
        void this.#show();
      },
    }, asset.role === "" ? asset.name : `${asset.role} · ${asset.name}`)));
    this.#host.querySelector(".bench-where")?.after(tabs);
  }

  /** Two windows on one seat would only take turns in being stale: one works, the other offers to take over. */
  async #claimWindow(work: Work): Promise<boolean> {
    if (!navigator.locks) return true;
    const name = `concord:${this.#boot.account.id}:${work.assignment.id}`;
    const take = (steal: boolean): Promise<boolean> => new Promise((resolve) => {
      navigator.locks.request(name, steal ? { steal: true } : { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise<void>((release) => { this.#unlock = release; });
      }).catch(() => {
        // Taken over by another window: what is here is sent or kept, this one stops.
        this.#closeSeat();
        this.#elsewhere(work);
      });
    });
    if (await take(false)) return true;
    const answer = await ask(this.#host, {
      title: t("Open in another window"), text: t("You have this task open in another window of this browser. Only one of them can save."),
      actions: [{ name: "leave", title: t("Back to the desk") }, { name: "take", title: t("Work here"), primary: true }],
    });
    if (answer === "take") return take(true);
    location.assign(this.#boot.urls["desk"] ?? "/");
    return false;
  }

  #elsewhere(work: Work): void {
    this.#end(t("Open in another window"), t("This task is being worked on in another window of this browser."),
      h("button", { type: "button", class: "button is-primary", onclick: () => void this.open(work) }, t("Work here")));
  }

  // --- from one to the next ---

  async #done(work: Work, how: "submitted" | "skipped" | "parked" | "settled", answer: Partial<Submitted> | null): Promise<void> {
    if (how === "parked") {
      location.assign(this.#boot.urls["desk"] ?? "/");
      return;
    }
    const next = await this.#flow.next();
    if (next.kind === "work") {
      this.#closeSeat();
      history.pushState(null, "", this.#address(next.work));
      this.#host.inert = false;
      await this.open(next.work);
    } else {
      this.#closeSeat();
      this.#host.inert = false;
      if (next.kind === "nothing") this.#nothing(next.reason);
      else this.#end(t("The next task could not be fetched."), reasonOf({ ok: false, status: next.status, error: next.error }), this.#again());
    }
    if (how === "submitted" && answer?.grace_until) this.#withdrawable(work, answer.grace_until);
  }

  #address(work: Work): string {
    return `${this.#boot.urls["bench"] ?? "/bench/"}${encodeURIComponent(work.assignment.id)}`;
  }

  #again(): HTMLElement {
    return h("button", { type: "button", class: "button is-primary", onclick: () => void this.#tryNext() }, t("Look again"));
  }

  async #tryNext(): Promise<void> {
    const next = await this.#flow.next();
    if (next.kind === "work") {
      history.pushState(null, "", this.#address(next.work));
      await this.open(next.work);
    } else if (next.kind === "nothing") this.#nothing(next.reason);
    else toast(reasonOf({ ok: false, status: next.status, error: next.error }), "bad");
  }

  #nothing(reason: NothingNow): void {
    const titles: { readonly [code: string]: () => string } = {
      nothing_left: () => t("Nothing is left to do here."), all_leased: () => t("Everything that is left is being worked on."),
      not_qualified: () => t("You are not qualified for what is left."), all_yours_done: () => t("You have done all that you can do here."),
      stuck: () => t("What is left waits for somebody else."), paused: () => t("The project is paused."),
    };
    const until = reason.until ? Date.parse(reason.until) - Date.now() : NaN;
    this.#end(titles[reason.code]?.() ?? t("Nothing to do at present."),
      Number.isFinite(until) && until > 0 ? `${reason.message} ${t("Look again in {duration}.", { duration: duration(until) })}` : reason.message, this.#again());
  }

  #end(title: string, text: string, ...actions: HTMLElement[]): void {
    fill(this.#host, h("main", { class: "bench-end" }, h("h1", null, title), h("p", null, text),
      h("div", { class: "stage-actions" }, ...actions, h("a", { class: "button", href: this.#boot.urls["desk"] ?? "/" }, t("Back to the desk")))));
    this.#host.querySelector<HTMLElement>("button, a")?.focus();
  }

  // --- notices ---

  #showNotice(...children: Node[]): void {
    this.#hideNotice();
    this.#notice = h("div", { class: "bench-notice", role: "status" }, ...children);
    document.body.append(this.#notice);
  }

  #hideNotice(): void {
    window.clearInterval(this.#noticeTimer);
    this.#notice?.remove();
    this.#notice = null;
  }

  #signedOut(): void {
    this.#showNotice(h("span", null, t("Not saved: you are signed out. Your work is kept here.")),
      h("a", { class: "button is-primary", href: this.#boot.urls["signIn"] ?? "/sign-in", target: "_blank", rel: "noopener" }, t("Sign in again")));
  }

  /** For the grace of a submission: the way back. */
  #withdrawable(work: Work, until: string): void {
    const left = (): number => Date.parse(until) - (this.#session?.clock.now() ?? Date.now());
    if (!(left() > 1000)) return;
    const text = h("span");
    this.#showNotice(text, h("button", { type: "button", class: "button", "data-action": "withdraw", onclick: () => void this.#withdraw(work) }, t("Withdraw")),
      h("button", { type: "button", class: "icon-button", "aria-label": t("Close"), onclick: () => this.#hideNotice() }, "✕"));
    const tick = (): void => {
      if (left() <= 0) return this.#hideNotice();
      setText(text, t("Submitted: {item}. It can be withdrawn for {duration}.", { item: work.item.key ?? work.item.id, duration: duration(left()) }));
    };
    tick();
    this.#noticeTimer = window.setInterval(tick, 1000);
  }

  async #withdraw(work: Work): Promise<void> {
    const answer = await this.#api.send("POST", `/api/assignments/${encodeURIComponent(work.assignment.id)}/withdrawal`, {}, { key: newIdempotencyKey() });
    if (!answer.ok) return toast(reasonOf(answer), "bad");
    await this.#session?.saver.flush();
    location.assign(this.#address(work));
  }

  async #lost(parked: string | null): Promise<void> {
    const url = parked === null ? null : `${this.#boot.urls["api"] ?? "/api"}/parked/${encodeURIComponent(parked)}`;
    this.#bench?.close();
    this.#bench = null;
    this.#end(t("This seat is no longer yours."),
      parked === null ? t("Your time was over and somebody else took the task. Your last work is kept in this browser.")
        : t("Your time was over and somebody else took the task. Your work is stored as a parked draft: you can read it, and copy it in when you get this item again."),
      ...(url === null ? [] : [h("a", { class: "button", href: url }, t("Open the parked draft"))]), this.#again());
  }

  /** Two versions that do not fit together: the person chooses, and may take a copy of the own one first. */
  async #bothSides(mine: Document, theirs: Work): Promise<void> {
    const column = (title: string, document_: Document): HTMLElement => h("section", null, h("h3", null, title),
      h("p", null, t("{n} objects", { n: Object.keys(document_.regions).length }), document_.unusable === null ? "" : ` · ${t("unusable")}`),
      h("ul", null, ...Object.entries(document_.answers).map(([name, value]) => h("li", null, `${name}: ${JSON.stringify(value)}`))));
    const changes = diff(theirs.document, mine);
    const count = (op: string): number => changes.filter((change) => change.op === op).length;
    let answer: string | null = null;
    // Closing the dialog decides nothing: it is asked again, since nothing more can be saved before.
    while (answer !== "mine" && answer !== "theirs") {
      answer = await ask(document.body, {
        title: t("Two versions"), wide: true,
        text: t("This task was changed in another window meanwhile, at the same places as here. Nothing has been overwritten. Which version goes on?"),
        body: h("div", { class: "both-sides" }, column(t("here"), mine), column(t("on the server"), theirs.document),
          h("p", null, t("Against the server's version, the one here adds {added}, removes {removed} and changes {changed} objects.",
            { added: count("add"), removed: count("remove"), changed: count("replace") })),
          h("a", { download: `${theirs.item.id}-here.json`, href: URL.createObjectURL(new Blob([JSON.stringify(mine, null, 1)], { type: "application/json" })) }, t("Download the version here"))),
        actions: [{ name: "theirs", title: t("The server's version") }, { name: "mine", title: t("The version here"), primary: true }],
      });
    }
    await this.#session?.saver.resolve(answer as "mine" | "theirs");
  }
}

async function boot(): Promise<void> {
  const host = document.getElementById("bench") ?? document.body.appendChild(h("div", { id: "bench" }));
  const block = document.getElementById("boot")?.textContent;
  if (!block) throw new Error("the page carries no boot block");
  const data = JSON.parse(block) as Boot;
  setLanguage(data.language);
  const page = new Page(host, data, await openStore());
  await page.open(data.work);
}

boot().catch((error: unknown) => {
  console.error(error);
  const host = document.getElementById("bench") ?? document.body;
  fill(host, h("main", { class: "bench-end", role: "alert" }, h("h1", null, t("The bench could not be opened.")),
    h("p", null, t("Your work is safe: what was not yet sent is kept in this browser. Load the page again; if that does not help, tell the lead.")),
    h("p", null, String(error)), h("a", { class: "button", href: "/" }, t("Back to the desk"))));
});
