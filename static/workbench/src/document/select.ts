/** Reading a document and its schema: small pure helpers shared by benches. No DOM. */
import type { Control, Document, Json, Label, Region, Schema, SpanGeometry } from "./types.ts";

/** Regions in drawing order: by z where it is set, else as added. */
export function regionsOf(document: Document): Region[] {
  return Object.values(document.regions).sort((a, b) => (a.z ?? 0) - (b.z ?? 0));
}

export function regionsOnAsset(document: Document, asset: string): Region[] {
  return regionsOf(document).filter((region) => region.asset === asset || region.asset === null);
}

export function isSpan(region: Region): region is Region & { readonly geometry: SpanGeometry } {
  return region.shape === "span";
}

/** Spans of an asset in reading order. */
export function spansOf(document: Document, asset: string): (Region & { readonly geometry: SpanGeometry })[] {
  return regionsOnAsset(document, asset).filter(isSpan)
    .sort((a, b) => a.geometry.start - b.geometry.start || a.geometry.end - b.geometry.end || (a.id < b.id ? -1 : 1));
}

export function labelNamed(schema: Schema, name: string): Label | undefined {
  return schema.labels.find((label) => label.name === name);
}

/** Controls that put regions on assets of a role; a control without a role serves every asset. */
export function regionControls(schema: Schema, role?: string): Control[] {
  return schema.controls.filter((control) => control.kind === "regions"
    && (role === undefined || control.asset === null || control.asset === undefined || control.asset === role));
}

export function answerControls(schema: Schema): Control[] {
  return schema.controls.filter((control) => control.kind !== "regions");
}

/** Labels a control offers: never retired ones, in the schema's order. */
export function labelsFor(schema: Schema, controls: readonly Control[]): Label[] {
  const all = controls.some((control) => control.labels === undefined || control.labels === "all");
  const named = new Set(controls.flatMap((control) => (Array.isArray(control.labels) ? control.labels as string[] : [])));
  return schema.labels.filter((label) => !label.retired && (all || named.has(label.name)));
}

export interface Missing { readonly control?: string; readonly region?: string; readonly attribute?: string }

function isBlank(value: Json | undefined): boolean {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

/** Required answers and attributes that are not there; none is asked of an unusable item. The server decides again. */
export function missingOf(schema: Schema, document: Document): Missing[] {
  if (document.unusable !== null) return [];
  const missing: Missing[] = answerControls(schema)
    .filter((control) => control.required && isBlank(document.answers[control.name]))
    .map((control) => ({ control: control.name }));
  for (const region of Object.values(document.regions)) {
    for (const attribute of labelNamed(schema, region.label)?.attributes ?? []) {
      if (attribute.required && isBlank(region.attributes[attribute.name])) {
        missing.push({ region: region.id, attribute: attribute.name });
      }
    }
  }
  return missing;
}
