/**
 * Takes the note "turn me" out of a picture's bytes. The stored frame is the file's own pixel grid, for the bench, the
 * trainer and the release alike; browsers turn a picture by its note and offer no way to say no (createImageBitmap
 * obeys it whatever its option says), so the note is set to "as it is" before they see it. Pure.
 */

const ORIENTATION = 0x0112;

function word(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

/** Sets the orientation in a TIFF block (EXIF) to 1. */
function settle(view: DataView, start: number, end: number): void {
  if (start + 8 > end) return;
  const order = view.getUint16(start);
  if (order !== 0x4949 && order !== 0x4d4d) return;
  const little = order === 0x4949;
  const directory = start + view.getUint32(start + 4, little);
  if (directory + 2 > end) return;
  const n = view.getUint16(directory, little);
  for (let i = 0; i < n; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > end) return;
    if (view.getUint16(entry, little) === ORIENTATION) view.setUint16(entry + 8, 1, little);
  }
}

function jpeg(view: DataView): void {
  for (let at = 2; at + 4 <= view.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xda || marker === 0xd9) return;
    const end = at + 2 + view.getUint16(at + 2);
    if (marker === 0xe1 && at + 10 <= view.byteLength && word(view, at + 4) === "Exif") settle(view, at + 10, Math.min(end, view.byteLength));
    at = end;
  }
}

function png(view: DataView): void {
  for (let at = 8; at + 12 <= view.byteLength;) {
    const length = view.getUint32(at);
    const name = word(view, at + 4);
    // The checksum no longer fits, which makes readers pass over the chunk: that is what is wanted.
    if (name === "eXIf") settle(view, at + 8, Math.min(at + 8 + length, view.byteLength));
    if (name === "IDAT" || name === "IEND") return;
    at += 12 + length;
  }
}

function webp(view: DataView): void {
  for (let at = 12; at + 8 <= view.byteLength;) {
    const length = view.getUint32(at + 4, true);
    if (word(view, at) === "EXIF") {
      const skip = length > 6 && word(view, at + 8) === "Exif" ? 6 : 0;
      settle(view, at + 8 + skip, Math.min(at + 8 + length, view.byteLength));
    }
    at += 8 + length + (length & 1);
  }
}

/** Changes the bytes in place and gives them back. What it does not know it leaves alone. */
export function upright(bytes: ArrayBuffer): ArrayBuffer {
  const view = new DataView(bytes);
  if (view.byteLength < 16) return bytes;
  if (view.getUint16(0) === 0xffd8) jpeg(view);
  else if (view.getUint32(0) === 0x89504e47) png(view);
  else if (word(view, 0) === "RIFF" && word(view, 8) === "WEBP") webp(view);
  return bytes;
}
