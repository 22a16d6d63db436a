/**
 * Where the outbox rests: IndexedDB, or memory where a browser has none. Knows accounts, assignments, records, batches
 * and drafts; knows nothing of the network. Everything is keyed by account first, so that forgetting an account is one
 * range and nobody's work is ever sent in another's name.
 */
import type { Change } from "../document/types.ts";

export interface Seat { readonly account: string; readonly assignment: string }

/** One committed change list: a finished stroke, a label, an undo. */
export interface OutboxRecord extends Seat {
  readonly changes: readonly Change[];
  /** Bytes of mask parts that the server has not seen, by digest. */
  readonly parts: { readonly [digest: string]: Uint8Array };
  readonly active_ms: number;
  readonly at: number;
}
export interface NumberedRecord extends OutboxRecord { readonly n: number }

/** One request, fixed before it is first sent: the same bytes and the same key until it is answered. */
export interface Batch extends Seat {
  readonly key: string;
  readonly path: "revisions" | "submission";
  readonly body: string;
  readonly if_revision: number;
  readonly changes: readonly Change[];
  /** Digest of the document after it: how a reload knows that it was stored although the answer was lost. */
  readonly result: string;
  readonly parts: readonly string[];
  readonly active_ms: number;
  /** Records up to this number are inside. */
  readonly through: number;
}

export interface OutboxStore {
  /** False: what is kept is gone when the tab is. */
  readonly durable: boolean;
  /** Resolves once the record would survive the browser's death. */
  append(record: OutboxRecord): Promise<number>;
  records(seat: Seat): Promise<NumberedRecord[]>;
  batch(seat: Seat): Promise<Batch | null>;
  putBatch(batch: Batch): Promise<void>;
  dropBatch(seat: Seat): Promise<void>;
  /** The batch was answered: it goes, with its records, in one step. */
  settle(seat: Seat, through: number): Promise<void>;
  draft(seat: Seat): Promise<unknown>;
  putDraft(seat: Seat, value: unknown): Promise<void>;
  /** Assignments of an account with something unsent. */
  waiting(account: string): Promise<string[]>;
  forget(account: string | null): Promise<void>;
}

const seatKey = (seat: Seat): [string, string] => [seat.account, seat.assignment];

export class MemoryStore implements OutboxStore {
  readonly durable = false;
  #next = 1;
  #records: NumberedRecord[] = [];
  readonly #batches = new Map<string, Batch>();
  readonly #drafts = new Map<string, unknown>();

  #key(seat: Seat): string { return JSON.stringify(seatKey(seat)); }

  async append(record: OutboxRecord): Promise<number> {
    const n = this.#next;
    this.#next += 1;
    this.#records.push({ ...record, n });
    return n;
  }
  async records(seat: Seat): Promise<NumberedRecord[]> {
    return this.#records.filter((record) => record.account === seat.account && record.assignment === seat.assignment);
  }
  async batch(seat: Seat): Promise<Batch | null> { return this.#batches.get(this.#key(seat)) ?? null; }
  async putBatch(batch: Batch): Promise<void> { this.#batches.set(this.#key(batch), batch); }
  async dropBatch(seat: Seat): Promise<void> { this.#batches.delete(this.#key(seat)); }
  async settle(seat: Seat, through: number): Promise<void> {
    this.#batches.delete(this.#key(seat));
    this.#records = this.#records.filter((record) => record.account !== seat.account
      || record.assignment !== seat.assignment || record.n > through);
  }
  async draft(seat: Seat): Promise<unknown> { return this.#drafts.get(this.#key(seat)) ?? null; }
  async putDraft(seat: Seat, value: unknown): Promise<void> {
    if (value === null) this.#drafts.delete(this.#key(seat)); else this.#drafts.set(this.#key(seat), value);
  }
  async waiting(account: string): Promise<string[]> {
    const records = this.#records.filter((record) => record.account === account).map((record) => record.assignment);
    const batches = [...this.#batches.values()].filter((batch) => batch.account === account).map((batch) => batch.assignment);
    return [...new Set([...records, ...batches])];
  }
  async forget(account: string | null): Promise<void> {
    this.#records = this.#records.filter((record) => account !== null && record.account !== account);
    for (const map of [this.#batches, this.#drafts]) {
      for (const key of [...map.keys()]) {
        if (account === null || (JSON.parse(key) as [string, string])[0] === account) map.delete(key);
      }
    }
  }
}

const DATABASE = "concord";
const VERSION = 1;

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      const db = request.result;
      const records = db.createObjectStore("records", { keyPath: "n", autoIncrement: true });
      records.createIndex("seat", ["account", "assignment"]);
      db.createObjectStore("batches", { keyPath: ["account", "assignment"] });
      db.createObjectStore("drafts", { keyPath: ["account", "assignment"] });
    };
    request.onsuccess = () => {
      // A newer page must be able to upgrade: an old tab lets go, and its next write opens again.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another tab holds an older outbox open"));
  });
}

type StoreName = "records" | "batches" | "drafts";

/** Above every string: [account, LAST] closes the range of one account's keys. */
const LAST: [] = [];

export class IndexedDbStore implements OutboxStore {
  readonly durable = true;
  #db: IDBDatabase;

  private constructor(db: IDBDatabase) { this.#db = db; }

  static async open(): Promise<IndexedDbStore> { return new IndexedDbStore(await open()); }

  async #write<T>(names: StoreName[], work: (at: (name: StoreName) => IDBObjectStore) => Promise<T> | T): Promise<T> {
    let tx: IDBTransaction;
    try {
      // strict: the promise of "kept" is a promise about the disk, not about a cache
      tx = this.#db.transaction(names, "readwrite", { durability: "strict" });
    } catch {
      this.#db = await open();
      tx = this.#db.transaction(names, "readwrite", { durability: "strict" });
    }
    const finished = new Promise<void>((resolve, reject) => {
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error ?? new Error("the browser refused to keep it"));
    });
    finished.catch(() => undefined);  // `work` may throw first; the abort is then reported by it
    const result = await work((name) => tx.objectStore(name));
    await finished;
    return result;
  }

  async #read<T>(name: StoreName, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    try {
      return await work(this.#db.transaction(name).objectStore(name));
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "InvalidStateError") throw error;
      this.#db = await open();
      return work(this.#db.transaction(name).objectStore(name));
    }
  }

  async append(record: OutboxRecord): Promise<number> {
    return await this.#write(["records"], (at) => done(at("records").add(record))) as number;
  }

  async records(seat: Seat): Promise<NumberedRecord[]> {
    return this.#read("records", (store) => done(store.index("seat").getAll(seatKey(seat)))) as Promise<NumberedRecord[]>;
  }

  async batch(seat: Seat): Promise<Batch | null> {
    return (await this.#read("batches", (store) => done(store.get(seatKey(seat)))) as Batch | undefined) ?? null;
  }

  async putBatch(batch: Batch): Promise<void> {
    await this.#write(["batches"], (at) => done(at("batches").put(batch)));
  }

  async dropBatch(seat: Seat): Promise<void> {
    await this.#write(["batches"], (at) => done(at("batches").delete(seatKey(seat))));
  }

  async settle(seat: Seat, through: number): Promise<void> {
    await this.#write(["records", "batches"], async (at) => {
      at("batches").delete(seatKey(seat));
      const keys = await done(at("records").index("seat").getAllKeys(seatKey(seat)));
      for (const key of keys) if ((key as number) <= through) at("records").delete(key);
    });
  }

  async draft(seat: Seat): Promise<unknown> {
    const found = await this.#read("drafts", (store) => done(store.get(seatKey(seat)))) as { value: unknown } | undefined;
    return found?.value ?? null;
  }

  async putDraft(seat: Seat, value: unknown): Promise<void> {
    await this.#write(["drafts"], (at) => {
      if (value === null) at("drafts").delete(seatKey(seat));
      else at("drafts").put({ account: seat.account, assignment: seat.assignment, value });
    });
  }

  async waiting(account: string): Promise<string[]> {
    const range = IDBKeyRange.bound([account], [account, LAST]);
    const records = await this.#read("records", (store) => done(store.index("seat").getAll(range))) as NumberedRecord[];
    const batches = await this.#read("batches", (store) => done(store.getAllKeys(range))) as [string, string][];
    return [...new Set([...records.map((record) => record.assignment), ...batches.map((key) => key[1])])];
  }

  async forget(account: string | null): Promise<void> {
    await this.#write(["records", "batches", "drafts"], async (at) => {
      if (account === null) {
        for (const name of ["records", "batches", "drafts"] as const) at(name).clear();
        return;
      }
      const range = IDBKeyRange.bound([account], [account, LAST]);
      at("batches").delete(range);
      at("drafts").delete(range);
      const keys = await done(at("records").index("seat").getAllKeys(range));
      for (const key of keys) at("records").delete(key);
    });
  }
}

/** The best store this browser has. Private windows of some browsers have no IndexedDB: memory then, and it says so. */
export async function openStore(): Promise<OutboxStore> {
  try {
    return await IndexedDbStore.open();
  } catch {
    return new MemoryStore();
  }
}

const CHANNEL = "concord-account";

/**
 * Wipes what is kept here for an account (null: for everyone): called at sign-out, by the bench and by the pages. Other
 * tabs are told first, so that none of them writes again.
 */
export async function forgetAccount(account: string | null = null): Promise<void> {
  if (typeof BroadcastChannel !== "undefined") {
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage({ forget: account });
    channel.close();
  }
  const store = await openStore();
  await store.forget(account);
}

/** Tells the other tabs that this account is signed in here. */
export function announceAccount(account: string): void {
  if (typeof BroadcastChannel === "undefined") return;
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage({ present: account });
  channel.close();
}

/** Calls back when the account is seen signed in in any tab; returns the function that stops listening. */
export function onPresent(account: string, callback: () => void): () => void {
  if (typeof BroadcastChannel === "undefined") return () => undefined;
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event: MessageEvent<{ present?: string }>) => {
    if (event.data.present === account) callback();
  };
  return () => channel.close();
}

/** Calls back when an account is forgotten in any tab; returns the function that stops listening. */
export function onForget(account: string, callback: () => void): () => void {
  if (typeof BroadcastChannel === "undefined") return () => undefined;
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event: MessageEvent<{ forget?: string | null }>) => {
    const { forget } = event.data;
    if (forget === null || forget === account) callback();
  };
  return () => channel.close();
}
