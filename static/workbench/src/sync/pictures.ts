/** Decoded pictures, fetched once and ahead of time. Keeps the few that may be wanted next; the browser's cache has the rest. */
import { upright } from "../view/upright.ts";

const KEPT = 4;
const pictures = new Map<string, Promise<ImageBitmap>>();

export interface PictureSource { readonly id: string; readonly url: string }

async function fetchPicture(url: string): Promise<ImageBitmap> {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return createImageBitmap(new Blob([upright(await response.arrayBuffer())]));
}

export function loadPicture(asset: PictureSource): Promise<ImageBitmap> {
  let picture = pictures.get(asset.id);
  if (picture) pictures.delete(asset.id);  // put back as the youngest
  else {
    picture = fetchPicture(asset.url);
    // A failure is not remembered: the next look tries again.
    picture.catch(() => pictures.delete(asset.id));
  }
  pictures.set(asset.id, picture);
  while (pictures.size > KEPT) {
    // Only let go of, not closed: a view may still be drawing it; the last holder's garbage frees it.
    pictures.delete(pictures.keys().next().value!);
  }
  return picture;
}
