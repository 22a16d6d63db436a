/** The note of orientation is set to "as it is" in JPEG, PNG and WebP; anything else stays as it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { upright } from "../src/view/upright.ts";

/** A TIFF block with two entries, the second of them the orientation (tag 0x0112, SHORT, count 1), by the TIFF 6.0 layout. */
function exif(little: boolean, orientation: number): number[] {
  const block = new DataView(new ArrayBuffer(38));
  block.setUint16(0, little ? 0x4949 : 0x4d4d);
  block.setUint16(2, 42, little);
  block.setUint32(4, 8, little);
  block.setUint16(8, 2, little);
  [[0x0100, 40], [0x0112, orientation]].forEach(([tag, value], i) => {
    block.setUint16(10 + i * 12, tag!, little);
    block.setUint16(12 + i * 12, 3, little);
    block.setUint32(14 + i * 12, 1, little);
    block.setUint16(18 + i * 12, value!, little);
  });
  return [...new Uint8Array(block.buffer)];
}
const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));
const buffer = (bytes: number[]): ArrayBuffer => Uint8Array.from(bytes).buffer;
const from = (bytes: ArrayBuffer): number[] => [...new Uint8Array(bytes)];

for (const little of [true, false]) {
  test(`JPEG, ${little ? "little" : "big"} endian`, () => {
    const make = (n: number): number[] => {
      const body = [...ascii("Exif"), 0, 0, ...exif(little, n)];
      return [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xe1, 0, body.length + 2, ...body, 0xff, 0xda, 0, 2, 9, 9, 9];
    };
    assert.deepEqual(from(upright(buffer(make(6)))), make(1));
    assert.deepEqual(from(upright(buffer(make(1)))), make(1));
  });
  test(`PNG and WebP, ${little ? "little" : "big"} endian`, () => {
    const png = (n: number): number[] => [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 38, ...ascii("eXIf"), ...exif(little, n), 1, 2, 3, 4, 0, 0, 0, 0, ...ascii("IDAT"), 0, 0, 0, 0];
    assert.deepEqual(from(upright(buffer(png(8)))), png(1));
    const webp = (n: number): number[] => [...ascii("RIFF"), 70, 0, 0, 0, ...ascii("WEBP"), ...ascii("VP8 "), 3, 0, 0, 0, 7, 7, 7, 0, ...ascii("EXIF"), 38, 0, 0, 0, ...exif(little, n)];
    assert.deepEqual(from(upright(buffer(webp(3)))), webp(1));
  });
}

test("cut off, empty and foreign bytes are left alone and do no harm", () => {
  const cut = [0xff, 0xd8, 0xff, 0xe1, 0x40, 0, ...ascii("Exif"), 0, 0, 0x49, 0x49, 42, 0, 8, 0, 0, 0, 9, 9];
  assert.deepEqual(from(upright(buffer(cut))), cut);
  for (const bytes of [[], [1, 2, 3], ascii("GIF89a and some more bytes"), new Array<number>(64).fill(0xff)]) assert.deepEqual(from(upright(buffer(bytes))), bytes);
});
