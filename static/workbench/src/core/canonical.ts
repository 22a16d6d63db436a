/**
 * Canonical JSON (RFC 8785) and the digest over it. Pure; the Python twin is annotator/core/canonical.py and both
 * run against fixtures/vectors/canonical.json.
 *
 * JSON.stringify already formats numbers and strings as the standard asks; what it does not do is sort keys and
 * refuse what has no JSON form, so that is all there is here. Members that are `undefined` are left out, as
 * JSON.stringify does, since an optional field set to undefined is the same record as one without it.
 */
import { sha256Hex } from "./sha256.ts";

export class NotCanonical extends Error {
  override name = "NotCanonical";
}

const utf8 = new TextEncoder();

function text(value: string): string {
  if (!value.isWellFormed()) throw new NotCanonical("a string holds half of a surrogate pair");
  return JSON.stringify(value);
}

export function canonical(value: unknown): string {
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === "string") return text(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new NotCanonical(`${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object") {
    const record = value as { readonly [key: string]: unknown };
    const keys = Object.keys(record).filter((key) => record[key] !== undefined).sort();
    return `{${keys.map((key) => `${text(key)}:${canonical(record[key])}`).join(",")}}`;
  }
  throw new NotCanonical(`a ${typeof value} has no JSON form`);
}

export function canonicalBytes(value: unknown): Uint8Array {
  return utf8.encode(canonical(value));
}

/** SHA-256 over the canonical bytes, lower-case hex. */
export function digest(value: unknown): string {
  return sha256Hex(canonicalBytes(value));
}

/** Equal as records: same canonical form. Identity first, since most calls compare a thing with itself. */
export function same(a: unknown, b: unknown): boolean {
  return a === b || canonical(a) === canonical(b);
}
