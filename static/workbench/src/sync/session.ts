/**
 * One seat at one bench: history, parts, outbox, status, and the verbs that end it. What a bench is given is its
 * `context`; what the page does around it (next task, notices) comes in as `around`.
 */
import { newIdempotencyKey } from "../core/ids.ts";
import { t } from "../core/i18n.ts";
import { ServerClock, systemClock } from "../core/time.ts";
import { History } from "../document/history.ts";
import { PartStore } from "../document/parts.ts";
import type { Boot, Mark, Work } from "../document/types.ts";
import type { BenchActions, BenchContext, SaveStatus } from "../ui/context.ts";
import { Store } from "../ui/store.ts";
import type { ActiveTime } from "./active.ts";
import type { Answer, Api } from "./api.ts";
import { Saver, type SaverEvents, SaveRefused, type Submitted } from "./saver.ts";
import type { OutboxStore } from "./store.ts";

export interface Around {
  /** The seat is answered or given back: on to the next, with a word about what happened. */
  done(how: "submitted" | "skipped" | "parked" | "settled", answer: Partial<Submitted> | null): Promise<void>;
  leave(): Promise<void>;
  /** An answer is on its way: what comes next may be made ready beside it. */
  submitting(): void;
  /** Says what went wrong; the person stays where they are. */
  say(message: string): void;
  /** While a verb is under way nothing may be changed. */
  busy(on: boolean): void;
  readonly events: SaverEvents;
}

export interface Session {
  readonly context: BenchContext;
  readonly saver: Saver;
  readonly clock: ServerClock;
  close(): void;
}

/** What an answer that is no success means to a person. */
export function reasonOf(answer: Extract<Answer<unknown>, { ok: false }>): string {
  if (answer.status === 0) return t("No connection. Nothing is lost; try again in a moment.");
  if (answer.status === 401) return t("You are signed out. Sign in again; your work is kept here.");
  // What the server says of its own faults is for programs.
  if (answer.status >= 500) return t("Something went wrong on the server. Nothing is lost; try again in a moment.");
  return answer.error.cure ? `${answer.error.message} ${answer.error.cure}` : answer.error.message;
}

export async function openSession(
  boot: Boot, work: Work, api: Api, store: OutboxStore, active: ActiveTime, around: Around,
): Promise<Session> {
  const seat = `/api/assignments/${encodeURIComponent(work.assignment.id)}`;
  const history = new History(work.document);
  const parts = new PartStore((digest) => api.bytes(`${seat}/parts/${digest}`));
  const status = new Store<SaveStatus>({ state: "saved", lease_until: work.assignment.lease_until });
  const saver = new Saver({
    api, store, work, account: boot.account.id, history, parts, status, active, clock: systemClock, events: around.events,
  });

  /** Runs a verb with the bench held still; errors are said, never thrown at a button. */
  async function verb(run: () => Promise<void>): Promise<void> {
    around.busy(true);
    try {
      await run();
    } catch (error) {
      around.say(error instanceof SaveRefused && error.error.cure ? `${error.message} ${error.error.cure}` : (error as Error).message);
    } finally {
      around.busy(false);
    }
  }

  async function post(path: string, body: object): Promise<unknown> {
    const answer = await api.send("POST", path, body, { key: newIdempotencyKey() });
    if (!answer.ok) throw new Error(reasonOf(answer));
    return answer.data;
  }

  async function submit(): Promise<void> {
    around.submitting();
    const answer = await saver.submit();
    await around.done("submitted", answer);
  }

  const actions: BenchActions = {
    submit: () => verb(submit),
    skip: (reason) => verb(async () => {
      await saver.flush();
      await post(`${seat}/skip`, { token: saver.token, reason });
      await around.done("skipped", null);
    }),
    unusable: (reason) => verb(async () => {
      if (history.document.unusable !== reason) {
        history.commit([{ op: "set", path: ["unusable"], before: history.document.unusable, after: reason }], "unusable");
      }
      await submit();
    }),
    park: () => verb(async () => {
      await saver.flush();
      await post(`${seat}/park`, { token: saver.token });
      await around.done("parked", null);
    }),
    leave: () => around.leave(),
    ...(work.assignment.stage === "check" ? {
      outcome: (outcome: "pass" | "mend" | "return", more: { error_type?: string; marks?: readonly Mark[] } = {}) => verb(async () => {
        // What was mended must be stored before it is judged; a pass or return leaves the document as it was.
        if (outcome === "mend" && !await saver.settled()) throw new Error(t("The mend is not saved yet: try again when the bar says saved."));
        const spent = active.take(systemClock.now());
        const settle = (how: "pass" | "mend" | "return"): Promise<Answer<unknown>> =>
          api.send("POST", `/api/checks/${encodeURIComponent(work.assignment.id)}/outcome`, {
            token: saver.token, outcome: how, active_ms: spent,
            ...(more.error_type ? { error_type: more.error_type } : {}),
            ...(more.marks && more.marks.length > 0 ? { marks: more.marks } : {}),
            ...(how === "mend" ? { if_revision: saver.revision } : {}),
          }, { key: newIdempotencyKey() });
        let answer = await settle(outcome);
        // Everything that was mended has been undone again: then it passes as it was.
        if (!answer.ok && answer.error.code === "nothing_mended") answer = await settle("pass");
        if (!answer.ok) {
          active.giveBack(spent);
          throw new Error(reasonOf(answer));
        }
        await around.done("settled", null);
      }),
    } : {}),
  };
  // The seat's drafts belong to its account: the saver reads them before the bench is drawn, so that it opens as it was left.
  await saver.start();
  return {
    context: { boot, work, history, parts, status, actions },
    saver, clock: new ServerClock(work.server_now),
    close: () => saver.stop(),
  };
}
