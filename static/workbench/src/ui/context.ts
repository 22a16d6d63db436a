/** What a bench is given and what it keeps on screen. Types and their first values only: no DOM, no network. */

import type { History } from "../document/history.ts";
import type { PartStore } from "../document/parts.ts";
import type { Boot, Mark, Work } from "../document/types.ts";
import type { Store } from "./store.ts";

/** What a person must always see of the own work. Times are milliseconds of this browser's clock. */
export interface SaveStatus {
  readonly state: "saved" | "dirty" | "saving" | "kept" | "offline" | "lost" | "conflict" | "signed_out";
  readonly saved_at?: number;
  readonly retry_at?: number;
  readonly lease_until?: string;
  readonly message?: string;
  readonly pending?: number;
}

export interface BenchActions {
  submit(): Promise<void> | void;
  skip(reason: string): Promise<void> | void;
  unusable(reason: string): Promise<void> | void;
  park?(): Promise<void> | void;
  next?(): Promise<void> | void;
  leave?(): Promise<void> | void;
  /** Stage check only; shown in the place of submit. */
  outcome?(outcome: "pass" | "mend" | "return", more?: { error_type?: string; marks?: readonly Mark[] }): Promise<void> | void;
}

export interface BenchContext {
  readonly boot: Boot;
  readonly work: Work;
  readonly history: History;
  readonly parts: PartStore;
  readonly status: Store<SaveStatus>;
  readonly actions: BenchActions;
  /** Which asset to show where an item has several. */
  readonly asset?: string;
  /** The checker's panel, in the place of submit. */
  readonly outcome?: HTMLElement;
}

/** The state of the screen, never of the document. */
export interface BenchState {
  readonly selection: ReadonlySet<string>;
  /** Drawn a moment ago and selected by that: digits then choose the next label instead of changing this one. */
  readonly fresh: string | null;
  readonly tool: string;
  /** Sticky: what the next drawn region gets. */
  readonly label: string | null;
  readonly asset: string;
  readonly hidden: boolean;
  readonly prelabelsHidden: boolean;
  readonly brush_px: number;
  /** Of the click-segment tool: largest difference of a colour channel, 0..255. */
  readonly tolerance: number;
  /** "prelabel id/region id" of the prelabel region looked at. */
  readonly candidate: string | null;
  readonly dropped: ReadonlySet<string>;
  readonly singleKeys: boolean;
}

export const NO_SELECTION: ReadonlySet<string> = new Set();
