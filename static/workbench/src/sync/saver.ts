/**
 * The way of a change from the hand to the server. Hears the history, writes each committed list to the outbox, sends
 * the outbox in batches, and says at each moment how far things are. Touches the store, the API and the status given
 * to it; no DOM, and clock and timers are handed in, so that tests can drive it.
 *
 * Promises kept here:
 * - a change is "kept" only once the store says that it would survive the browser;
 * - a batch and its key are stored before they are first sent and never change, so an answer lost on the way costs
 *   nothing: the same bytes are sent again and the server gives its first answer;
 * - nothing on the server is ever overwritten: a stale revision is either rebased cleanly or shown to the person;
 * - what the server refuses stays here and is said; it is tried again with the next edit, not in a loop.
 */
import { newIdempotencyKey } from "../core/ids.ts";
import { t } from "../core/i18n.ts";
import type { Clock } from "../core/time.ts";
import { apply, ChangeConflict, force, partsOf, squash } from "../document/changes.ts";
import { diff } from "../document/diff.ts";
import { documentDigest } from "../document/digest.ts";
import type { History, HistoryEvent } from "../document/history.ts";
import type { PartStore } from "../document/parts.ts";
import type { Change, Document, Work } from "../document/types.ts";
import type { SaveStatus } from "../ui/context.ts";
import type { Store } from "../ui/store.ts";
import type { ActiveTime } from "./active.ts";
import { type Answer, type Api, type ApiError, NO_ANSWER, toBase64 } from "./api.ts";
import type { Batch, OutboxRecord, OutboxStore, Seat } from "./store.ts";

export interface Timers { set(run: () => void, ms: number): unknown; clear(handle: unknown): void }
export const systemTimers: Timers = {
  set: (run, ms) => setTimeout(run, ms),
  clear: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

export interface Saved { readonly revision: number; readonly digest: string; readonly lease_until?: string; readonly saved_at?: string }
export interface Submitted extends Saved { readonly submitted_at: string; readonly grace_until: string }

/** The server said no and will say no again: the person has to do something first. */
export class SaveRefused extends Error {
  override name = "SaveRefused";
  readonly error: ApiError;
  constructor(error: ApiError) {
    super(error.message);
    this.error = error;
  }
}

export interface SaverEvents {
  /** Two versions that do not fit together; answer with `resolve`. */
  conflict?(mine: Document, theirs: Work): void;
  /** The seat is somebody else's; what was sent is parked under this id. */
  lost?(parked: string | null): void;
  submitted?(answer: Submitted): void;
  /** Changes of an earlier sitting were found here and laid over the document. */
  restored?(n: number): void;
}

export interface SaverParts {
  readonly api: Pick<Api, "send"> & { csrf: string };
  readonly store: OutboxStore;
  readonly work: Work;
  readonly account: string;
  readonly history: History;
  readonly parts: PartStore;
  readonly status: Store<SaveStatus>;
  readonly active: ActiveTime;
  readonly clock: Clock;
  readonly timers?: Timers;
  readonly events?: SaverEvents;
}

/** After the last edit so long, after the first unsent one at most so long, until a batch is formed. */
const QUIET_MS = 700;
const PATIENCE_MS = 4000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];
const SESSION_MS = 15_000;
const HEARTBEAT_MS = 240_000;
/** Below the server's limits for a save (10,000 changes) and for a body. */
const MOST_CHANGES = 8000;
const MOST_BYTES = 1_500_000;

/** n is null until the store has answered; a record that it could not keep gets a number between its neighbours'. */
interface Waiting { readonly record: OutboxRecord; n: number | null; kept: boolean; readonly bytes: number }

export class Saver {
  readonly #o: SaverParts;
  readonly #seat: Seat;
  readonly #timers: Timers;
  #base: { document: Document; revision: number };
  #token: string;
  #queue: Waiting[] = [];
  /** Settles when all records so far are written (or have failed to be). */
  #writes: Promise<void> = Promise.resolve();
  #batch: Batch | null = null;
  #busy = false;
  #stopped = false;
  #failures = 0;
  #lastNumber = 0;
  #offline = false;
  #sending = false;
  #savedAt: number | undefined;
  #retryAt: number | undefined;
  #leaseUntil: string | undefined;
  #message: string | undefined;
  #most = MOST_CHANGES;
  #firstUnsent: number | null = null;
  #flushTimer: unknown = null;
  #beatTimer: unknown = null;
  #lastContact: number;
  #submission: { resolve: (answer: Submitted) => void; reject: (error: Error) => void } | null = null;
  #conflict: { mine: Document; theirs: Work } | null = null;
  #blocked: "signed_out" | "lost" | "conflict" | "refused" | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor(options: SaverParts) {
    this.#o = options;
    this.#timers = options.timers ?? systemTimers;
    this.#seat = { account: options.account, assignment: options.work.assignment.id };
    this.#base = { document: options.work.document, revision: options.work.assignment.revision };
    this.#token = options.work.assignment.token;
    this.#lastContact = options.clock.now();
  }

  /** The last revision that the server answered for, and the seat's token. */
  get revision(): number { return this.#base.revision; }
  get token(): string { return this.#token; }
  get conflict(): { readonly mine: Document; readonly theirs: Work } | null { return this.#conflict; }
  /** Something is here that the server has not answered for. */
  get unsent(): boolean { return this.#queue.length > 0 || this.#batch !== null; }
  /** True when closing the tab now would lose something. */
  get fragile(): boolean { return this.#queue.some((waiting) => !waiting.kept) || (this.unsent && !this.#o.store.durable); }

  /** Lays kept work over the document, then listens and sends. */
  async start(): Promise<void> {
    const { store, history, parts, work } = this.#o;
    const records = await store.records(this.#seat);
    this.#batch = await store.batch(this.#seat);
    for (const record of records) {
      for (const [digest, bytes] of Object.entries(record.parts)) parts.restore(digest, bytes);
    }
    this.#queue = records.map((record) => ({ record, n: record.n, kept: true, bytes: sizeOf(record) }));
    this.#lastNumber = this.#through(this.#queue);
    this.#leaseUntil = work.assignment.lease_until;
    if (this.#batch && work.assignment.digest === this.#batch.result) await this.#settle(this.#batch);
    this.#unsubscribe = history.subscribe((event) => this.#heard(event));
    if (this.unsent) {
      const pending = this.#pendingChanges();
      let fits = true;
      try {
        history.replaceBase(apply(work.document, pending));
      } catch (error) {
        if (!(error instanceof ChangeConflict)) throw error;
        fits = false;
        history.replaceBase(force(work.document, pending));
      }
      this.#o.events?.restored?.(this.#queue.length);
      // With a batch only the server can tell whether it was stored and its answer lost; then it is asked first.
      if (!fits && !this.#batch) this.#enterConflict(work);
      void this.#pump();
    }
    this.#show();
    this.#beat();
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe?.();
    this.#timers.clear(this.#flushTimer);
    this.#timers.clear(this.#beatTimer);
  }

  /** Try now: the network is back, the window has focus again, the tab is about to go. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#blocked === "signed_out") void this.#askSession();
    else void this.#pump();
  }

  /** Resolves when everything so far is written to the outbox. */
  async kept(): Promise<void> { await this.#writes; }

  /** Sends what is waiting and resolves when it is answered or cannot be at present. */
  async flush(): Promise<void> {
    await this.#writes;
    while (this.#busy) await new Promise((resolve) => { this.#timers.set(() => resolve(undefined), 20); });
    await this.#pump();
  }

  /** Everything is on the server: resolves true once it is, false when it cannot be at present (the status says why). */
  async settled(): Promise<boolean> {
    await this.flush();
    return !this.unsent;
  }

  /** Sends what is waiting as the submission. Rejects with SaveRefused; waits through network failures. */
  submit(): Promise<Submitted> {
    return new Promise((resolve, reject) => {
      this.#submission?.reject(new Error("submitted again"));
      this.#submission = { resolve, reject };
      if (this.#blocked === "refused") { this.#blocked = null; this.#message = undefined; }
      void this.#pump();
    });
  }

  /** The person chose between two versions that do not fit together. */
  async resolve(choice: "mine" | "theirs"): Promise<void> {
    const conflict = this.#conflict;
    if (!conflict) return;
    await this.#writes;
    const through = Math.max(0, this.#batch?.through ?? 0, ...this.#queue.map((waiting) => waiting.n ?? 0));
    const { store, history } = this.#o;
    const mine = history.document;
    this.#base = { document: conflict.theirs.document, revision: conflict.theirs.assignment.revision };
    this.#token = conflict.theirs.assignment.token;
    const changes = choice === "mine" ? diff(conflict.theirs.document, mine) : [];
    let next: Waiting[] = [];
    if (changes.length > 0) {
      const record = this.#record(changes);
      // the new record first: a crash in between leaves too much, never too little
      next = [{ record, n: await store.append(record), kept: true, bytes: sizeOf(record) }];
    }
    await store.settle(this.#seat, through);
    this.#batch = null;
    this.#queue = next;
    this.#conflict = null;
    this.#blocked = null;
    history.replaceBase(choice === "mine" ? mine : conflict.theirs.document);
    this.#show();
    await this.#pump();
  }

  // --- from the hand into the outbox ---

  #record(changes: readonly Change[]): OutboxRecord {
    const now = this.#o.clock.now();
    const parts: Record<string, Uint8Array> = {};
    for (const digest of partsOf(changes)) {
      const bytes = this.#o.parts.isPending(digest) ? this.#o.parts.bytes(digest) : undefined;
      if (bytes) parts[digest] = bytes;
    }
    return { ...this.#seat, changes, parts, active_ms: this.#o.active.take(now), at: now };
  }

  #heard(event: HistoryEvent): void {
    if (event.changes.length === 0 || this.#stopped) return;
    const record = this.#record(event.changes);
    const waiting: Waiting = { record, n: null, kept: false, bytes: sizeOf(record) };
    this.#queue.push(waiting);
    // One after the other, so that numbers follow the order of the edits.
    this.#writes = this.#writes.then(() => this.#o.store.append(record)).then((n) => {
      waiting.n = this.#lastNumber = n;
      waiting.kept = true;
    }, (error: unknown) => {
      // Sent all the same; until it is, the bar says what a crash would cost.
      waiting.n = this.#lastNumber += 1e-6;
      this.#message = t("this browser could not keep it: {reason}", { reason: String(error) });
      this.#show();
    });
    if (this.#blocked === "refused") { this.#blocked = null; this.#message = undefined; }
    this.#show();
    this.#firstUnsent ??= this.#o.clock.now();
    if (this.#blocked === null && this.#failures === 0) {
      const patience = this.#firstUnsent + PATIENCE_MS - this.#o.clock.now();
      this.#schedule(Math.max(0, Math.min(QUIET_MS, patience)));
    }
  }

  #show(): void {
    const state = this.#blocked === "refused" ? "kept" : this.#blocked
      ?? (this.#sending ? "saving" : this.#failures > 0 ? (this.#offline ? "offline" : "kept")
        : this.unsent ? "dirty" : "saved");
    const waits = this.#failures > 0 && !this.#sending && this.#blocked === null;
    this.#o.status.set({
      state, saved_at: this.#savedAt, pending: this.#queue.length, message: this.#message, lease_until: this.#leaseUntil,
      retry_at: waits ? this.#retryAt : undefined,
    } as Partial<SaveStatus>);
  }

  #schedule(ms: number): void {
    this.#timers.clear(this.#flushTimer);
    this.#flushTimer = this.#timers.set(() => void this.#pump(), ms);
  }

  // --- from the outbox to the server ---

  #pendingChanges(): Change[] {
    return [...(this.#batch?.changes ?? []), ...this.#restOf(this.#batch).flatMap((waiting) => waiting.record.changes)];
  }

  #restOf(batch: Batch | null): Waiting[] {
    return batch ? this.#queue.filter((waiting) => waiting.n === null || waiting.n > batch.through) : this.#queue;
  }

  async #pump(): Promise<void> {
    if (this.#busy || this.#stopped || this.#blocked !== null) return;
    this.#busy = true;
    this.#timers.clear(this.#flushTimer);
    try {
      while (await this.#step());
    } finally {
      this.#busy = false;
    }
  }

  /** One request; true if there is reason to go on at once. */
  async #step(): Promise<boolean> {
    do await this.#writes; while (this.#queue.some((waiting) => waiting.n === null));
    if (this.#stopped || this.#blocked !== null) return false;
    if (!this.#batch) {
      if (this.#queue.length === 0 && !this.#submission) return false;
      const formed = this.#form();
      if (formed === null) {
        await this.#drop(this.#through(this.#queue));
        this.#firstUnsent = null;
        this.#show();
        return this.#queue.length > 0;
      }
      this.#batch = formed;
      try {
        await this.#o.store.putBatch(formed);
      } catch {
        // A full disk must not stop the sending; only a crash right now could repeat the batch under another key,
        // and then the revision it was made on is stale and says so.
      }
    }
    const batch = this.#batch;
    this.#sending = true;
    this.#show();
    const path = `/api/assignments/${encodeURIComponent(this.#seat.assignment)}/${batch.path}`;
    const answer = await this.#o.api.send<Submitted>("POST", path, batch.body, { key: batch.key, keepalive: true });
    this.#sending = false;
    if (this.#stopped) return false;
    try {
      return await this.#answered(batch, answer);
    } finally {
      this.#show();
    }
  }

  /** Forgets what was answered, in the store and here. */
  async #drop(through: number): Promise<void> {
    this.#batch = null;
    this.#queue = this.#queue.filter((waiting) => waiting.n === null || waiting.n > through);
    await this.#o.store.settle(this.#seat, through);
  }

  #through(waiting: readonly Waiting[]): number {
    return Math.max(0, ...waiting.map((one) => one.n ?? 0));
  }

  /** The next request; null when what waits cancels out and nothing has to be said to the server. */
  #form(): Batch | null {
    const taken: Waiting[] = [];
    let changes = 0;
    let bytes = 0;
    for (const waiting of this.#queue) {
      changes += waiting.record.changes.length;
      bytes += waiting.bytes;
      if (waiting.n === null || taken.length > 0 && (changes > this.#most || bytes > MOST_BYTES)) break;
      taken.push(waiting);
    }
    const all = taken.length === this.#queue.length;
    const list = squash(taken.flatMap((waiting) => waiting.record.changes));
    const submit = all && this.#submission !== null;
    const spent = taken.reduce((sum, waiting) => sum + waiting.record.active_ms, 0);
    if (list.length === 0 && !submit && all) {
      this.#o.active.giveBack(spent);
      return null;
    }
    const active_ms = spent + (submit ? this.#o.active.take(this.#o.clock.now()) : 0);
    const result = documentDigest(apply(this.#base.document, list));
    const parts: Record<string, string> = {};
    for (const digest of partsOf(list)) {
      const raw = this.#o.parts.isPending(digest) ? this.#o.parts.bytes(digest) : undefined;
      if (raw) parts[digest] = toBase64(raw);
    }
    const named = Object.keys(parts);
    return {
      ...this.#seat, key: newIdempotencyKey(), path: submit ? "submission" : "revisions",
      body: JSON.stringify({
        token: this.#token, if_revision: this.#base.revision, changes: list,
        ...(named.length > 0 ? { parts } : {}), active_ms, digest: result,
      }),
      if_revision: this.#base.revision, changes: list, result, parts: named, active_ms,
      through: this.#through(taken),
    };
  }

  async #settle(batch: Batch): Promise<void> {
    this.#o.parts.saved(batch.parts);
    await this.#drop(batch.through);
  }

  async #answered(batch: Batch, answer: Answer<Submitted>): Promise<boolean> {
    const now = this.#o.clock.now();
    if (answer.ok) {
      this.#failures = 0;
      this.#message = undefined;
      this.#lastContact = this.#savedAt = now;
      this.#leaseUntil = answer.data.lease_until ?? this.#leaseUntil;
      await this.#accepted(batch, answer.data);
      if (batch.path === "submission") {
        const waiting = this.#submission;
        this.#submission = null;
        this.#o.events?.submitted?.(answer.data);
        waiting?.resolve(answer.data);
        return false;
      }
      this.#firstUnsent = this.#queue.length > 0 ? now : null;
      return this.#blocked === null && this.#failures === 0 && (this.unsent || this.#submission !== null);
    }
    const { status, error } = answer;
    if (status === NO_ANSWER || status === 408 || status === 429 || status >= 500 || error.code === "in_progress") {
      this.#retryLater(status === NO_ANSWER ? "offline" : "kept", answer.retryAfter_ms);
      return false;
    }
    this.#lastContact = now;
    if (status === 401) return this.#signedOut();
    if (status === 403 && error.code === "csrf") {
      // Signed in anew elsewhere: the token changed. Asked once a retry, so that a lasting mismatch cannot spin.
      if (await this.#askSession()) this.#retryLater("kept");
      return false;
    }
    if (status === 409 && error.code === "stale_revision") return this.#adopt(batch);
    if (status === 409 && error.code === "lease_lost") return this.#leaseLost(batch, error);
    if (status === 413 && this.#queue.length > 1) {
      this.#most = Math.max(1, Math.floor(this.#queue.length / 2));
      await this.#unform(batch);
      return true;
    }
    return this.#refused(batch, error);
  }

  #retryLater(state: "offline" | "kept", after_ms = 0): void {
    const wait = Math.max(after_ms, RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)]!);
    this.#failures += 1;
    this.#offline = state === "offline";
    this.#retryAt = this.#o.clock.now() + wait;
    this.#schedule(wait);
  }

  /** The batch is stored there: it becomes the base for what follows. */
  async #accepted(batch: Batch, saved: Saved): Promise<void> {
    let next: Document | null = null;
    try {
      next = apply(this.#base.document, batch.changes);
    } catch (error) {
      if (!(error instanceof ChangeConflict)) throw error;
    }
    await this.#settle(batch);
    // On the revision that the batch was made on, its result is known; else the documents are compared.
    const known = this.#base.revision === batch.if_revision ? batch.result : next && documentDigest(next);
    if (next !== null && known === saved.digest) {
      this.#base = { document: next, revision: saved.revision };
      return;
    }
    await this.#adopt(null);
  }

  /**
   * The document moved on (another window of the same person, a replayed batch): fetches it as it stands and lays what
   * is not in it on top, or shows both. True: go on sending.
   */
  async #adopt(batch: Batch | null): Promise<boolean> {
    const answer = await this.#o.api.send<Work>("GET", `/api/assignments/${encodeURIComponent(this.#seat.assignment)}`);
    if (!answer.ok) {
      if (answer.status === 401) return this.#signedOut();
      this.#retryLater(answer.status === NO_ANSWER ? "offline" : "kept");
      return false;
    }
    const theirs = answer.data;
    await this.#writes;
    if (batch && theirs.assignment.digest === batch.result) {
      await this.#settle(batch);
    } else if (batch) {
      await this.#unform(batch);
    }
    this.#failures = 0;
    let merged: Document;
    try {
      merged = apply(theirs.document, this.#pendingChanges());
    } catch (error) {
      if (!(error instanceof ChangeConflict)) throw error;
      this.#enterConflict(theirs);
      return false;
    }
    this.#base = { document: theirs.document, revision: theirs.assignment.revision };
    this.#token = theirs.assignment.token;
    if (documentDigest(merged) !== documentDigest(this.#o.history.document)) this.#o.history.replaceBase(merged);
    return true;
  }

  /** Takes a request back before it was accepted: its records wait again, its extra time is counted again. */
  async #unform(batch: Batch): Promise<void> {
    const inside = this.#queue.filter((waiting) => waiting.n !== null && waiting.n <= batch.through);
    const spent = inside.reduce((sum, waiting) => sum + waiting.record.active_ms, 0);
    this.#o.active.giveBack(Math.max(0, batch.active_ms - spent));
    this.#batch = null;
    await this.#o.store.dropBatch(this.#seat);
  }

  #enterConflict(theirs: Work): void {
    this.#blocked = "conflict";
    const mine = force(theirs.document, this.#pendingChanges());
    this.#o.history.replaceBase(mine);
    this.#conflict = { mine, theirs };
    this.#submission?.reject(new Error("conflict"));
    this.#submission = null;
    this.#show();
    this.#o.events?.conflict?.(mine, theirs);
  }

  async #leaseLost(batch: Batch, error: ApiError): Promise<boolean> {
    const parked = typeof error["parked"] === "string" ? error["parked"] : null;
    // With an id the server has these changes; without one they stay here.
    if (parked !== null) await this.#settle(batch);
    if (parked !== null && this.#queue.length > 0) return true;
    this.#blocked = "lost";
    this.#submission?.reject(new SaveRefused(error));
    this.#submission = null;
    this.#o.events?.lost?.(parked);
    return false;
  }

  async #refused(batch: Batch, error: ApiError): Promise<boolean> {
    await this.#unform(batch);
    if (batch.path === "submission") {
      const waiting = this.#submission;
      this.#submission = null;
      waiting?.reject(new SaveRefused(error));
      // What blocks a submission (an answer missing) need not block a save.
      return this.#queue.length > 0;
    }
    this.#blocked = "refused";
    this.#message = error.message;
    this.#submission?.reject(new SaveRefused(error));
    this.#submission = null;
    return false;
  }

  #signedOut(message?: string): boolean {
    this.#blocked = "signed_out";
    this.#message = message;
    this.#show();
    this.#timers.clear(this.#flushTimer);
    this.#flushTimer = this.#timers.set(() => void this.#askSession(), SESSION_MS);
    return false;
  }

  /** Is the same person signed in again? Then everything kept is sent. */
  async #askSession(): Promise<boolean> {
    type Session = { account?: { id: string; name?: string } | null; csrf?: string };
    const answer = await this.#o.api.send<Session>("GET", "/api/session");
    if (this.#stopped) return false;
    if (!answer.ok) return this.#signedOut();
    if (answer.data.csrf) this.#o.api.csrf = answer.data.csrf;
    const account = answer.data.account;
    if (!account) return this.#signedOut();
    if (account.id !== this.#seat.account) {
      return this.#signedOut(t("signed in as {name}; this work is kept for the account that made it", { name: account.name ?? account.id }));
    }
    this.#blocked = null;
    this.#message = undefined;
    this.#show();
    if (!this.#busy) void this.#pump();
    return true;
  }

  // --- the lease ---

  #beat(): void {
    this.#beatTimer = this.#timers.set(() => {
      void this.#heartbeat().finally(() => { if (!this.#stopped) this.#beat(); });
    }, HEARTBEAT_MS / 4);
  }

  /** Renews the seat, only while somebody is at work and no save did it lately. */
  async #heartbeat(): Promise<void> {
    const now = this.#o.clock.now();
    if (this.#blocked !== null || now - this.#lastContact < HEARTBEAT_MS || !this.#o.active.recently(now)) return;
    const path = `/api/assignments/${encodeURIComponent(this.#seat.assignment)}/heartbeat`;
    const answer = await this.#o.api.send<{ lease_until?: string }>("POST", path, { token: this.#token }, { key: newIdempotencyKey() });
    if (answer.ok) {
      this.#lastContact = this.#o.clock.now();
      this.#leaseUntil = answer.data?.lease_until ?? this.#leaseUntil;
      this.#show();
    } else if (answer.status === 401) {
      this.#signedOut();
    }
  }
}

function sizeOf(record: OutboxRecord): number {
  const parts = Object.values(record.parts).reduce((sum, bytes) => sum + bytes.length * 1.4, 0);
  return parts + record.changes.length * 200;
}
