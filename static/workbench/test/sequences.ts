/**
 * Reads lines {"document", "changes": [[...], ...]} and prints, for each, the digest of the document after all lists:
 * the browser's side of the comparison that bench/edit_sequences.py makes. Run: node static/workbench/test/sequences.ts
 */
import { createInterface } from "node:readline";
import { digest } from "../src/core/canonical.ts";
import { apply } from "../src/document/changes.ts";
import type { Change, Document } from "../src/document/types.ts";

let out = "";
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() === "") continue;
  const { document, changes } = JSON.parse(line) as { document: Document; changes: Change[][] };
  out += `${digest(changes.reduce((now, list) => apply(now, list), document))}\n`;
  if (out.length > 60_000) {
    process.stdout.write(out);
    out = "";
  }
}
process.stdout.write(out);
