/**
 * Run lengths of one 256 x 256 binary tile, as stored: unsigned LEB128 runs, row by row, background first. Pure.
 *
 * The form is canonical (one tile, one byte string), so equal pixels always have the same digest: the first run may be
 * zero, no other may, and the runs add up to the tile. Anything else is refused when read.
 */
export const TILE_PX = 256;
export const TILE_PIXELS = TILE_PX * TILE_PX;

export class BadRuns extends Error {
  override name = "BadRuns";
}

/** pixels: TILE_PIXELS values, 0 is background, anything else foreground. */
export function encodeRuns(pixels: Uint8Array): Uint8Array {
  if (pixels.length !== TILE_PIXELS) throw new BadRuns(`a tile has ${TILE_PIXELS} pixels, not ${pixels.length}`);
  const out: number[] = [];
  let at = 0;
  let foreground = false;
  while (at < TILE_PIXELS) {
    let end = at;
    while (end < TILE_PIXELS && (pixels[end] !== 0) === foreground) end += 1;
    let run = end - at;
    while (run > 127) {
      out.push((run & 127) | 128);
      run >>>= 7;
    }
    out.push(run);
    at = end;
    foreground = !foreground;
  }
  return Uint8Array.from(out);
}

/** The runs themselves, checked. */
export function readRuns(bytes: Uint8Array): number[] {
  const runs: number[] = [];
  let total = 0;
  let at = 0;
  while (at < bytes.length) {
    let run = 0;
    let shift = 0;
    for (;;) {
      const byte = bytes[at];
      if (byte === undefined) throw new BadRuns("a run is cut off");
      at += 1;
      run += (byte & 127) * 2 ** shift;
      if (byte < 128) {
        if (byte === 0 && shift > 0) throw new BadRuns("a run is written longer than needed");
        break;
      }
      shift += 7;
      if (shift > 14) throw new BadRuns("a run is longer than a tile");
    }
    if (run === 0 && runs.length > 0) throw new BadRuns("a run of no pixels");
    runs.push(run);
    total += run;
    if (total > TILE_PIXELS) throw new BadRuns("the runs are longer than a tile");
  }
  if (total !== TILE_PIXELS) throw new BadRuns(`the runs add up to ${total} of ${TILE_PIXELS} pixels`);
  return runs;
}

/** TILE_PIXELS values of 0 or 1. */
export function decodeRuns(bytes: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(TILE_PIXELS);
  let at = 0;
  readRuns(bytes).forEach((run, index) => {
    if (index % 2 === 1) pixels.fill(1, at, at + run);
    at += run;
  });
  return pixels;
}

/** Foreground pixels, without unpacking. */
export function runsArea(bytes: Uint8Array): number {
  return readRuns(bytes).reduce((sum, run, index) => (index % 2 === 1 ? sum + run : sum), 0);
}
