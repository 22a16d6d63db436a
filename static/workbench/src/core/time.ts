/** Times in the reader's words. Pure: the caller gives the present moment. */
import { t, tn } from "./i18n.ts";

export interface Clock { now(): number }
export const systemClock: Clock = { now: () => Date.now() };

/** "3 s", "28 min", "5 h", "2 days": one unit, rounded down, for a span that a person only glances at. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return t("{n} s", { n: s });
  if (s < 3600) return t("{n} min", { n: Math.floor(s / 60) });
  if (s < 172800) return t("{n} h", { n: Math.floor(s / 3600) });
  const n = Math.floor(s / 86400);
  return tn("{n} day", "{n} days", n);
}

export function ago(at: number, now: number): string {
  return now - at < 1500 ? t("just now") : t("{duration} ago", { duration: duration(now - at) });
}

/** The server's clock as seen from here: leases are counted in its time, not in ours. */
export class ServerClock implements Clock {
  #offset_ms: number;
  readonly #local: Clock;
  constructor(serverNow: string, local: Clock = systemClock) {
    this.#local = local;
    const at = Date.parse(serverNow);
    this.#offset_ms = Number.isFinite(at) ? at - local.now() : 0;
  }
  now(): number {
    return this.#local.now() + this.#offset_ms;
  }
}
