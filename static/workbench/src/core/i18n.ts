/**
 * Words on the screen: `t` and `tn` look English message ids up in the catalogue that the page carries as
 * <script type="application/json" id="catalogue">; `titleOf` picks a title of the schema. Reads the page once, lazily.
 *
 * The catalogue is Django's JSON catalogue: {"catalog": {id: "text" | ["one", "many"]}}. A missing text shows its
 * English id: better a foreign word than none. Placeholders are {name}.
 */
import type { Title } from "../document/types.ts";

type Catalogue = { readonly [msgid: string]: string | readonly string[] };
export type Values = { readonly [name: string]: string | number };

let catalogue: Catalogue | undefined;
let current = "en";

function fromPage(): Catalogue {
  const block = typeof document === "undefined" ? null : document.getElementById("catalogue");
  if (!block?.textContent) return {};
  const data = JSON.parse(block.textContent) as { catalog?: Catalogue };
  return data.catalog ?? {};
}

/** For the boot (language) and for tests (both). */
export function setLanguage(language: string, texts?: Catalogue): void {
  current = language;
  if (texts) catalogue = texts;
}

export function language(): string {
  return current;
}

function fill(text: string, values: Values | undefined): string {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

export function t(msgid: string, values?: Values): string {
  catalogue ??= fromPage();
  const entry = catalogue[msgid];
  const text = typeof entry === "string" ? entry : entry?.[0];
  return fill(text || msgid, values);
}

/** By number; `{n}` is filled in. Chinese has one form, English two; a catalogue with one form uses it for all. */
export function tn(singular: string, plural: string, n: number, values?: Values): string {
  catalogue ??= fromPage();
  const entry = catalogue[singular];
  const forms = typeof entry === "string" ? [entry] : entry ?? [];
  const form = forms[Math.min(n === 1 ? 0 : 1, forms.length - 1)];
  return fill(form || (n === 1 ? singular : plural), { n, ...values });
}

/** A title in the reader's language: exact, then its main language, then English, then whatever there is. */
export function titleOf(title: Title | null | undefined, lang: string = current): string {
  if (title === null || title === undefined) return "";
  if (typeof title === "string") return title;
  const main = lang.split(/[-_]/)[0]!.toLowerCase();
  return title[lang] ?? title[main] ?? title["en"] ?? Object.values(title)[0] ?? "";
}
