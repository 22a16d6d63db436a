/**
 * Active time: the tab is visible and there was input within the last 30 s. Pure; the caller tells the moments.
 * The sum goes with each save and is capped by the server; it is never used as an order.
 */
export const ACTIVE_WINDOW_MS = 30_000;
export const HEARTBEAT_WINDOW_MS = 600_000;

export class ActiveTime {
  #total_ms = 0;
  /** Up to here time has been counted. */
  #counted: number;
  /** The last moment of input; -Infinity before the first. */
  #input = -Infinity;
  #visible: boolean;

  constructor(now: number, visible: boolean) {
    this.#counted = now;
    this.#visible = visible;
  }

  #count(now: number): void {
    if (this.#visible) {
      const until = Math.min(now, this.#input + ACTIVE_WINDOW_MS);
      if (until > this.#counted) this.#total_ms += until - this.#counted;
    }
    if (now > this.#counted) this.#counted = now;
  }

  input(now: number): void {
    this.#count(now);
    if (now > this.#input) this.#input = now;
  }

  visible(now: number, visible: boolean): void {
    this.#count(now);
    this.#visible = visible;
  }

  /** Whole milliseconds since the last call; the fraction is carried over. */
  take(now: number): number {
    this.#count(now);
    const whole = Math.floor(this.#total_ms);
    this.#total_ms -= whole;
    return whole;
  }

  /** Time that was taken for a save that was never made. */
  giveBack(ms: number): void {
    this.#total_ms += ms;
  }

  /** Someone is at work: only then may a heart-beat renew the lease. */
  recently(now: number, within_ms = HEARTBEAT_WINDOW_MS): boolean {
    return now - this.#input <= within_ms;
  }
}
