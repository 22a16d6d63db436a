/** Colours of labels as #rrggbb: the schema's own, else the sheet's 24 label colours in turn. Reads the style sheet once. */

import type { Schema } from "../document/types.ts";

const HEX = /^#[0-9a-f]{6}$/i;
const N_COLOURS = 24;
const UNKNOWN = "#8a9099";

let sheet: string[] | null = null;

export function labelPalette(): readonly string[] {
  if (!sheet) {
    const style = typeof document === "undefined" ? null : getComputedStyle(document.documentElement);
    sheet = Array.from({ length: N_COLOURS }, (_, i) => style?.getPropertyValue(`--label-${i + 1}`).trim() ?? "").filter((value) => HEX.test(value));
    if (sheet.length === 0) sheet = [UNKNOWN];
  }
  return sheet;
}

export function labelColors(schema: Schema): (label: string) => string {
  const palette = labelPalette();
  const colors = new Map(schema.labels.map((label, i) => [label.name, HEX.test(label.color ?? "") ? label.color : palette[i % palette.length]!]));
  return (label) => colors.get(label) ?? UNKNOWN;
}
