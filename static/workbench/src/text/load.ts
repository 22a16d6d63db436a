/** The text of an asset: carried by the work, or fetched. Offsets count from its very first code point, a mark included. */
import type { Asset } from "../document/types.ts";

export async function loadText(asset: Asset): Promise<string> {
  if (asset.text !== undefined) return asset.text;
  const response = await fetch(asset.url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  // ignoreBOM keeps the mark in the text: the server counts it as well
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
}

/** More than a third of the letters are Chinese, Japanese or Korean: then a line holds fewer of them. */
export function isWide(text: string): boolean {
  const sample = text.slice(0, 4000);
  const wide = sample.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  return letters > 0 && wide * 3 > letters;
}
