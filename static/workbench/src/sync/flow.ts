/**
 * From one task to the next without a page load: keeps one seat ahead, fetches its picture, opens it on demand, frees
 * it when the tab closes. No DOM; clock and picture loader are handed in.
 */
import { newIdempotencyKey } from "../core/ids.ts";
import type { Asset, Work } from "../document/types.ts";
import type { Answer, Api, ApiError } from "./api.ts";

export interface NothingNow { readonly code: string; readonly message: string; readonly until?: string }
export type Next =
  | { readonly kind: "work"; readonly work: Work }
  | { readonly kind: "nothing"; readonly reason: NothingNow }
  | { readonly kind: "failed"; readonly status: number; readonly error: ApiError };

type Claimed = Work | { readonly assignment: null; readonly reason: NothingNow };

/** A seat ahead has a short lease; it is renewed while the person is at work. */
export const AHEAD_BEAT_MS = 120_000;

export class Flow {
  readonly #api: Pick<Api, "send">;
  readonly #project: string;
  readonly #stage: string;
  readonly #prefetch: (asset: Asset) => unknown;
  #ahead: Work | null = null;
  #asking: Promise<void> | null = null;
  /** The seat ahead on its way to being started, beside the submission of the one before. */
  #opening: Promise<Answer<Work>> | null = null;
  #closed = false;

  constructor(api: Pick<Api, "send">, project: string, stage: string, prefetch: (asset: Asset) => unknown) {
    this.#api = api;
    this.#project = project;
    this.#stage = stage;
    this.#prefetch = prefetch;
  }

  get ahead(): Work | null { return this.#ahead; }

  #claim(ahead: boolean): Promise<Answer<Claimed>> {
    return this.#api.send<Claimed>("POST", `/api/projects/${encodeURIComponent(this.#project)}/claims`,
      { stage: this.#stage, ahead }, { key: newIdempotencyKey() });
  }

  #seat(work: Work, verb: string, keepalive = false): Promise<Answer<unknown>> {
    return this.#api.send("POST", `/api/assignments/${encodeURIComponent(work.assignment.id)}/${verb}`,
      { token: work.assignment.token }, { key: newIdempotencyKey(), keepalive });
  }

  /** Asks for one seat ahead and fetches its pictures. Only labelling has seats ahead; failing is not an error here. */
  prepare(): Promise<void> {
    if (this.#stage !== "label" || this.#ahead || this.#closed) return Promise.resolve();
    return this.#asking ??= this.#claim(true).then((answer) => {
      if (!answer.ok || answer.data.assignment === null) return;
      const work = answer.data as Work;
      if (this.#closed) {
        void this.#seat(work, "release", true);
        return;
      }
      this.#ahead = work;
      for (const asset of work.item.assets) if (asset.kind === "image") this.#prefetch(asset);
    }).finally(() => { this.#asking = null; });
  }

  /** The person submits: the seat ahead is started beside the submission, not after it. */
  begin(): void {
    if (this.#ahead && !this.#opening) this.#opening = this.#seat(this.#ahead, "open") as Promise<Answer<Work>>;
  }

  /** The next task: the one ahead if it is still ours, else a fresh claim. */
  async next(): Promise<Next> {
    await this.#asking;
    const ahead = this.#ahead;
    const opening = this.#opening;
    this.#ahead = this.#opening = null;
    if (ahead) {
      const answer = await (opening ?? this.#seat(ahead, "open") as Promise<Answer<Work>>);
      if (answer.ok) return { kind: "work", work: answer.data };
      // Its short lease ran out, or the task was set aside: the queue decides afresh.
    }
    const answer = await this.#claim(false);
    if (!answer.ok) return { kind: "failed", status: answer.status, error: answer.error };
    if (answer.data.assignment === null) return { kind: "nothing", reason: answer.data.reason };
    return { kind: "work", work: answer.data as Work };
  }

  /** Renews the seat ahead; one that is gone is forgotten and asked for again. */
  async beat(): Promise<void> {
    const ahead = this.#ahead;
    if (!ahead || this.#opening) return;
    const answer = await this.#seat(ahead, "heartbeat");
    if (!answer.ok && answer.status >= 400 && answer.status < 500 && this.#ahead === ahead) {
      this.#ahead = null;
      await this.prepare();
    }
  }

  /** The tab closes: the seat ahead goes to whoever is next. The request outlives the page. */
  release(): void {
    this.#closed = true;
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead) void this.#seat(ahead, "release", true);
  }

  /** The page came back from the browser's memory. */
  reopen(): void { this.#closed = false; }
}
