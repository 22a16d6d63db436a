/**
 * The digest of a whole document, quick after small edits: regions are immutable records, so the canonical text of each
 * is remembered with it and only changed ones are written anew. Pure; equal to `digest(document)` by test.
 */
import { canonical } from "../core/canonical.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { Document, Region } from "./types.ts";

const texts = new WeakMap<Region, string>();
const utf8 = new TextEncoder();

function textOf(region: Region): string {
  let text = texts.get(region);
  if (text === undefined) texts.set(region, text = canonical(region));
  return text;
}

export function documentDigest(document: Document): string {
  const ids = Object.keys(document.regions).sort();
  const regions = ids.map((id) => `${canonical(id)}:${textOf(document.regions[id]!)}`).join(",");
  const { regions: _regions, ...rest } = document;
  const members = Object.keys(rest).filter((key) => rest[key as keyof typeof rest] !== undefined)
    .map((key): [string, string] => [key, `${canonical(key)}:${canonical(rest[key as keyof typeof rest])}`]);
  members.push(["regions", `"regions":{${regions}}`]);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256Hex(utf8.encode(`{${members.map(([, text]) => text).join(",")}}`));
}
