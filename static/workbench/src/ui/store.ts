/** Forty lines of state: one value, shallow patches, listeners that hear of real changes only. No DOM. */

export type Listener<T> = (now: T, before: T) => void;

export class Store<T extends object> {
  #value: T;
  #listeners = new Set<Listener<T>>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  /** Merges the patch; nobody is told when every field already had that value. */
  set(patch: Partial<T>): void {
    const before = this.#value;
    const changed = (Object.keys(patch) as (keyof T)[]).some((key) => !Object.is(before[key], patch[key]));
    if (!changed) return;
    const now = { ...before, ...patch };
    this.#value = now;
    // A listener may set again: then the others must hear the newest value last, which nested calls give.
    for (const listener of [...this.#listeners]) {
      if (this.#value !== now) return;
      listener(now, before);
    }
  }

  subscribe(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
