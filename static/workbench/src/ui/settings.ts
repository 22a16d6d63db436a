/** Small things a browser remembers: folded panels, widths, the last tool. Never work, never content. */

const PREFIX = "concord.bench.";

export function recall<T>(name: string, fallback: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    // A blocked or full store, or a value from another version: the default is right then.
    return fallback;
  }
}

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Not remembered: the next sitting starts with the default, nothing is lost.
  }
}
