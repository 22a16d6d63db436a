/** A server of one assignment, small but exact where the saver is concerned, on a network that fails by plan. */
import { digest } from "../src/core/canonical.ts";
import { apply, partsOf } from "../src/document/changes.ts";
import type { Change, Document, Work } from "../src/document/types.ts";
import type { Answer, SendOptions } from "../src/sync/api.ts";
import type { Timers } from "../src/sync/saver.ts";

export class FakeTime implements Timers {
  at = 1_000_000;
  #next = 1;
  readonly #due = new Map<number, { at: number; run: () => void }>();
  now(): number { return this.at; }
  set(run: () => void, ms: number): unknown {
    this.#due.set(this.#next, { at: this.at + ms, run });
    return this.#next++;
  }
  clear(handle: unknown): void { this.#due.delete(handle as number); }
  /** Lets promises settle, then time pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    const until = this.at + ms;
    await settle();
    for (;;) {
      const next = [...this.#due].filter(([, timer]) => timer.at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!next) break;
      this.#due.delete(next[0]);
      this.at = Math.max(this.at, next[1].at);
      next[1].run();
      await settle();
    }
    this.at = until;
  }
}

export async function settle(): Promise<void> {
  for (let i = 0; i < 60; i += 1) await Promise.resolve();
}

type Fault = "none" | "lost_before" | "lost_after" | "unavailable";
interface Body { token: string; if_revision: number; changes: Change[]; parts?: { [digest: string]: string }; active_ms: number; digest: string }

export class FakeServer {
  document: Document;
  revision = 0;
  csrf = "c";
  active_ms = 0;
  signedIn: string | null = "acc_1";
  leaseLost = false;
  submitted = false;
  refuse: ((body: Body, path: string) => { status: number; code: string } | null) | null = null;
  fault: () => Fault = () => "none";
  /** What a lead or another window wrote. */
  readonly parked: Change[][] = [];
  readonly parts = new Set<string>();
  readonly requests: { method: string; path: string; status: number }[] = [];
  readonly #answers = new Map<string, { body: string; answer: Answer<unknown> }>();

  constructor(document: Document) { this.document = document; }

  work(): Work {
    return {
      assignment: {
        id: "as_1", token: "tok", stage: "label", state: "live", lease_until: "2030-01-01T00:00:00Z", revision: this.revision,
        digest: digest(this.document), grace_s: 0, parkable: true, ahead: false,
      },
      project: { id: "p", title: "P" }, task: { id: "t" }, item: { id: "i", key: null, metadata: {}, assets: [] },
      schema: { id: "s", version: 1, document: { format: 1, title: "", controls: [], labels: [] } },
      document: structuredClone(this.document), prelabels: [], marks: [], server_now: "2030-01-01T00:00:00Z",
    };
  }

  async send<T>(method: string, path: string, body?: unknown, options: SendOptions = {}): Promise<Answer<T>> {
    const fault = this.fault();
    const none: Answer<T> = { ok: false, status: 0, error: { code: "no_answer", message: "" } };
    await Promise.resolve();
    if (fault === "lost_before") return none;
    if (fault === "unavailable") return { ok: false, status: 503, error: { code: "busy", message: "busy" } };
    const answer = this.#handle(method, path, body as string | undefined, options) as Answer<T>;
    this.requests.push({ method, path, status: answer.status });
    await Promise.resolve();
    return fault === "lost_after" ? none : answer;
  }

  #handle(method: string, path: string, body: string | undefined, options: SendOptions): Answer<unknown> {
    const no = (status: number, code: string, more: object = {}): Answer<unknown> => ({ ok: false, status, error: { code, message: code, ...more } });
    if (path === "/api/session") return { ok: true, status: 200, data: { account: this.signedIn ? { id: this.signedIn } : null } };
    if (this.signedIn !== "acc_1") return no(401, "not_signed_in");
    if (method === "GET") return { ok: true, status: 200, data: this.work() };
    if (path.endsWith("/heartbeat")) return { ok: true, status: 200, data: { lease_until: "2030-01-01T01:00:00Z" } };
    const known = this.#answers.get(options.key!);
    if (known) {
      if (known.body !== body) throw new Error("one key, two bodies");
      return known.answer;
    }
    const data = JSON.parse(body!) as Body;
    const refusal = this.refuse?.(data, path);
    if (refusal) return no(refusal.status, refusal.code);
    if (this.leaseLost) {
      this.parked.push(data.changes);
      return no(409, "lease_lost", { parked: `pk_${this.parked.length}` });
    }
    if (data.if_revision !== this.revision) return no(409, "stale_revision", { revision: this.revision, digest: digest(this.document) });
    for (const part of Object.keys(data.parts ?? {})) this.parts.add(part);
    for (const part of partsOf(data.changes)) if (!this.parts.has(part)) return no(400, "part_missing");
    const after = apply(this.document, data.changes);
    if (digest(after) !== data.digest) throw new Error("the browser computed another document");
    this.document = after;
    this.revision += 1;
    this.active_ms += data.active_ms;
    if (path.endsWith("/submission")) this.submitted = true;
    const answer: Answer<unknown> = { ok: true, status: 201, data: { revision: this.revision, digest: digest(after), lease_until: "x", submitted_at: "x", grace_until: "x" } };
    this.#answers.set(options.key!, { body: body!, answer });
    return answer;
  }
}
