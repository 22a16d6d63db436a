/**
 * Mask parts: 256-pixel binary tiles, stored as canonical run lengths under their digest. Holds bytes and a small set of
 * unpacked tiles; fetches through the function it is given. No DOM.
 */
import { TILE_PIXELS, decodeRuns, encodeRuns } from "../core/runs.ts";
import { sha256Hex } from "../core/sha256.ts";

export { TILE_PIXELS, TILE_PX } from "../core/runs.ts";

/** tile: TILE_PIXELS values of 0 or 1, row by row. */
export function encodePart(tile: Uint8Array): Uint8Array { return encodeRuns(tile); }
export function decodePart(bytes: Uint8Array): Uint8Array { return decodeRuns(bytes); }
export function digestPartNow(bytes: Uint8Array): string { return sha256Hex(bytes); }
export async function digestPart(bytes: Uint8Array): Promise<string> { return sha256Hex(bytes); }

export function isEmptyTile(tile: Uint8Array): boolean {
  for (let i = 0; i < TILE_PIXELS; i += 1) if (tile[i] !== 0) return false;
  return true;
}

/** Unpacked tiles kept at once: 64 kB each, so 16 MB. The packed bytes are small and all stay. */
const UNPACKED = 256;

export class PartStore {
  readonly #bytes = new Map<string, Uint8Array>();
  readonly #tiles = new Map<string, Uint8Array>();
  readonly #pending = new Set<string>();
  readonly #loading = new Map<string, Promise<Uint8Array>>();
  readonly #fetch: (digest: string) => Promise<Uint8Array>;

  constructor(fetchPart: (digest: string) => Promise<Uint8Array>) {
    this.#fetch = fetchPart;
  }

  /** The unpacked tile (shared: do not write into it), or undefined if its bytes are not here yet. */
  get(digest: string): Uint8Array | undefined {
    let tile = this.#tiles.get(digest);
    if (tile) this.#tiles.delete(digest);  // put back as the youngest
    else {
      const bytes = this.#bytes.get(digest);
      if (!bytes) return undefined;
      tile = decodeRuns(bytes);
    }
    this.#tiles.set(digest, tile);
    if (this.#tiles.size > UNPACKED) this.#tiles.delete(this.#tiles.keys().next().value!);
    return tile;
  }

  /** The unpacked tile, fetched if need be. Bytes that do not match their digest are refused. */
  async load(digest: string): Promise<Uint8Array> {
    const here = this.get(digest);
    if (here) return here;
    let loading = this.#loading.get(digest);
    if (!loading) {
      loading = this.#fetch(digest).then((bytes) => {
        if (sha256Hex(bytes) !== digest) throw new Error(`part ${digest} came damaged`);
        this.#bytes.set(digest, bytes);
        return bytes;
      }).finally(() => this.#loading.delete(digest));
      this.#loading.set(digest, loading);
    }
    await loading;
    return this.get(digest)!;
  }

  /** Keeps a tile drawn here; its bytes count as unsaved until `saved` is told. */
  putNow(tile: Uint8Array): string {
    const bytes = encodeRuns(tile);
    const digest = sha256Hex(bytes);
    if (!this.#bytes.has(digest)) {
      this.#bytes.set(digest, bytes);
      this.#pending.add(digest);
    }
    return digest;
  }

  /** The same, and null for a tile without foreground: such a tile is absent from its mask. */
  putTile(tile: Uint8Array): string | null {
    return isEmptyTile(tile) ? null : this.putNow(tile);
  }

  async put(tile: Uint8Array): Promise<string> { return this.putNow(tile); }

  /** Bytes kept by an earlier sitting and not yet saved. */
  restore(digest: string, bytes: Uint8Array): void {
    this.#bytes.set(digest, bytes);
    this.#pending.add(digest);
  }

  bytes(digest: string): Uint8Array | undefined { return this.#bytes.get(digest); }
  isPending(digest: string): boolean { return this.#pending.has(digest); }
  saved(digests: Iterable<string>): void { for (const digest of digests) this.#pending.delete(digest); }
}
