/**
 * The one history of a bench, and the only holder of its document. Data with an origin, no closures, no clock.
 *
 * Saving does not touch it: undo goes back past any save of the sitting, and an undo is a list of changes like any
 * other, heard by the same subscribers (so it is kept and sent like any edit).
 */
import { apply, invert, squash } from "./changes.ts";
import type { Change, Document } from "./types.ts";

export interface HistoryEvent {
  readonly document: Document;
  readonly changes: readonly Change[];
  readonly origin: string;
}
interface Entry { readonly changes: readonly Change[]; readonly origin: string; readonly merge: string | null }

export class History {
  #document: Document;
  #done: Entry[] = [];
  #undone: Entry[] = [];
  readonly #listeners = new Set<(event: HistoryEvent) => void>();

  constructor(document: Document) {
    this.#document = document;
  }

  get document(): Document { return this.#document; }
  get canUndo(): boolean { return this.#done.length > 0; }
  get canRedo(): boolean { return this.#undone.length > 0; }
  /** Entries that can be undone, oldest first: for a list of what was done. */
  get entries(): readonly { readonly origin: string; readonly changes: readonly Change[] }[] { return this.#done; }

  /** Applies, remembers, tells. Throws ChangeConflict and then nothing has happened. An empty list is no edit. */
  commit(changes: readonly Change[], origin: string, opts?: { merge?: string }): void {
    if (changes.length === 0) return;
    this.#document = apply(this.#document, changes);
    const merge = opts?.merge ?? null;
    const last = this.#done.at(-1);
    if (merge !== null && last && last.merge === merge && this.#undone.length === 0) {
      this.#done[this.#done.length - 1] = { ...last, changes: squash([...last.changes, ...changes]) };
    } else {
      this.#done.push({ changes, origin, merge });
    }
    this.#undone = [];
    this.#tell(changes, origin);
  }

  undo(): readonly Change[] | null {
    const entry = this.#done.at(-1);
    if (!entry) return null;
    const changes = invert(entry.changes);
    this.#document = apply(this.#document, changes);
    this.#done.pop();
    this.#undone.push(entry);
    this.#tell(changes, "undo");
    return changes;
  }

  redo(): readonly Change[] | null {
    const entry = this.#undone.at(-1);
    if (!entry) return null;
    this.#document = apply(this.#document, entry.changes);
    this.#undone.pop();
    this.#done.push({ ...entry, merge: null });  // a redone entry is closed: new nudges start their own
    this.#tell(entry.changes, "redo");
    return entry.changes;
  }

  subscribe(fn: (event: HistoryEvent) => void): () => void {
    this.#listeners.add(fn);
    return () => { this.#listeners.delete(fn); };
  }

  /**
   * Another document from the server or another tab: what was done here no longer fits, so both stacks go. Told with
   * no changes and origin "base", so that views redraw and the outbox stays still.
   */
  replaceBase(document: Document): void {
    this.#document = document;
    this.#done = [];
    this.#undone = [];
    this.#tell([], "base");
  }

  #tell(changes: readonly Change[], origin: string): void {
    const event: HistoryEvent = { document: this.#document, changes, origin };
    for (const fn of [...this.#listeners]) fn(event);
  }
}
