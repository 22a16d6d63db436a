/** The schema document as its form holds it: titles by language, options as lines, renames as a mapping. No DOM. */
import type { Title } from "../document/types.ts";

export interface Option { name: string; title?: Title; hotkey?: string; retired?: boolean }
export interface Attribute { name: string; kind: string; title?: Title; options?: Option[]; required?: boolean; retired?: boolean; was?: string }
export interface Label { name: string; title?: Title; parent?: string | null; color?: string; hotkey?: string | null; class?: string; retired?: boolean; attributes?: Attribute[]; was?: string }
export interface Control { name: string; kind: string; title?: Title; shapes?: string[]; asset?: string | null; labels?: "all" | string[]; options?: Option[]; required?: boolean; min?: number; max?: number; old?: boolean }
export interface Constraint { kind: string; label?: string | null; value?: number }
export interface Doc { format: number; title: Title; controls: Control[]; labels: Label[]; constraints: Constraint[]; guideline: { version: number; text: Title } }

export function part(title: Title | undefined, language: "en" | "zh"): string {
  if (title === undefined) return "";
  if (typeof title === "string") return language === "en" ? title : "";
  return title[language] ?? "";
}

/** The title with one language changed; a plain string stays one while there is only one language. */
export function withPart(title: Title | undefined, language: "en" | "zh", text: string): Title {
  const all: Record<string, string> = typeof title === "string" ? { en: title } : { ...title };
  if (text.trim()) all[language] = text;
  else delete all[language];
  const names = Object.keys(all);
  return names.length === 1 && names[0] === "en" && typeof title !== "object" ? all["en"]! : names.length ? all : "";
}

/** One option a line: name | English | 中文; a leading ~ marks it retired. */
export function optionsToText(options: readonly Option[] | undefined): string {
  return (options ?? []).map((o) => {
    const en = part(o.title, "en"), zh = part(o.title, "zh");
    const name = (o.retired ? "~" : "") + o.name;
    return zh ? `${name} | ${en} | ${zh}` : en && en !== o.name ? `${name} | ${en}` : name;
  }).join("\n");
}

export function textToOptions(text: string, before: readonly Option[] | undefined): Option[] {
  const known = new Map((before ?? []).map((o) => [o.name, o]));
  return text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const [first = "", en = "", zh = ""] = line.split("|").map((one) => one.trim());
    const retired = first.startsWith("~");
    const name = retired ? first.slice(1).trim() : first;
    const option: Option = { ...known.get(name), name };
    option.title = zh ? { ...(en ? { en } : {}), zh } : en || name;
    if (retired) option.retired = true;
    else if (option.retired) option.retired = false;
    return option;
  });
}

/** What is stored and sent: without the marks of this form, with titles where none were typed. */
export function cleaned(doc: Doc): Doc {
  const copy = structuredClone(doc);
  for (const label of copy.labels) {
    delete label.was;
    label.title = label.title || label.name;
    if (!label.hotkey) delete label.hotkey;
    for (const attribute of label.attributes ?? []) { delete attribute.was; attribute.title = attribute.title || attribute.name; }
  }
  for (const control of copy.controls) { delete control.old; control.title = control.title || control.name; }
  return copy;
}

/** What was renamed since the version in force. */
export function mappingOf(doc: Doc): { labels: Record<string, string>; attributes: Record<string, string> } {
  const mapping = { labels: {} as Record<string, string>, attributes: {} as Record<string, string> };
  for (const label of doc.labels) {
    if (label.was === undefined) continue;
    if (label.was !== label.name) mapping.labels[label.was] = label.name;
    for (const attribute of label.attributes ?? []) {
      if (attribute.was !== undefined && attribute.was !== attribute.name) mapping.attributes[`${label.was}.${attribute.was}`] = attribute.name;
    }
  }
  return mapping;
}
