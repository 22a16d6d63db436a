/**
 * The form of the label schema: labels, questions, constraints, guideline; preview of what publication changes; and an
 * item beside it with the palette as the bench shows it. Edits a copy of the document in place, so that keys it does
 * not know are kept. The server checks; this form only spares people the JSON.
 */
import "../styles/pages_schema.css";
import { fill, h } from "../ui/dom.ts";
import { t, titleOf } from "../core/i18n.ts";
import type { Title } from "../document/types.ts";
import type { PageScript } from "./page.ts";
import {
  cleaned, mappingOf, optionsToText, part, textToOptions, withPart,
  type Attribute, type Control, type Doc, type Label, type Option,
} from "./schema_document.ts";

interface Sample { key: string; assets: { url: string; kind: string; role: string; snippet?: string }[] }
interface Boot { document: Doc; version: number; publish: string; preview: string; job: string; samples: Sample[]; shapes: string[]; language: string }
interface Failure { code: string; message: string; field?: string; cure?: string; version?: number }
interface Difference { kind: string; what: string; name: string; before: unknown; after: unknown }
interface Preview { diff: Difference[]; counts: { accepted: number; live_seats: number; labels: Record<string, { accepted: number; prelabels: number }> }; refused: Failure | null; same: boolean }

/** The label colours of the tokens: they differ for colour-blind eyes and on each theme. */
const COLOURS = ["#b000f8", "#20a800", "#586868", "#d07890", "#a880d8", "#c020b0", "#808858", "#806000", "#d80010", "#f86000", "#c81070", "#007840",
  "#f85068", "#907098", "#5860a8", "#00a080", "#e858c0", "#8838d8", "#e040f8", "#1898b8", "#a858d0", "#6880f0", "#a04090", "#b04848"];
const LABEL_KINDS = ["choice", "choices", "text", "number", "flag"];
const CONTROL_KINDS = ["regions", "choice", "choices", "text", "number"];

const kindWord = (kind: string): string => ({
  regions: t("regions"), choice: t("one of several"), choices: t("several of several"), text: t("text"), number: t("number"), flag: t("yes or no"),
})[kind] ?? kind;
const shapeWord = (shape: string): string => ({ box: t("box"), polygon: t("polygon"), mask: t("mask"), span: t("span of text") })[shape] ?? shape;
const constraintWord = (kind: string): string => ({ max_regions: t("at most so many regions"), min_size_px: t("no side shorter than (px)"), no_overlap: t("do not overlap") })[kind] ?? kind;

class Editor {
  readonly doc: Doc;
  readonly #guideline: string;
  #chosen = "";
  #sample = 0;
  readonly #outcome = h("div", { "aria-live": "polite" });
  readonly #labels = h("div");
  readonly #controls = h("div");
  readonly #constraints = h("div");

  readonly #boot: Boot;
  readonly #csrf: string;
  readonly #host: HTMLElement;
  readonly #side: HTMLElement | null;
  readonly #raw: HTMLElement | null;

  constructor(boot: Boot, csrf: string, host: HTMLElement) {
    this.#boot = boot;
    this.#csrf = csrf;
    this.#host = host;
    this.#side = document.querySelector("[data-schema-side]");
    this.#raw = document.querySelector("[data-schema-raw]");
    this.doc = structuredClone(boot.document);
    for (const label of this.doc.labels) {
      label.was = label.name;
      for (const attribute of (label.attributes ??= [])) attribute.was = attribute.name;
    }
    for (const control of this.doc.controls) control.old = boot.version > 0;
    this.doc.constraints ??= [];
    this.doc.guideline ??= { version: 1, text: "" };
    this.#guideline = JSON.stringify(this.doc.guideline.text);
  }

  // --- small pieces ---

  #input(label: string, value: string, set: (text: string) => void, props: Record<string, unknown> = {}): HTMLElement {
    return h("label", { class: "field" }, h("span", null, label),
      h("input", { value, maxlength: 200, ...props, oninput: (event: Event) => { set((event.target as HTMLInputElement).value); this.#changed(); } }));
  }

  #select(label: string, value: string, choices: readonly (readonly [string, string])[], set: (value: string) => void, disabled = false): HTMLElement {
    return h("label", { class: "field" }, h("span", null, label),
      h("select", { disabled, onchange: (event: Event) => { set((event.target as HTMLSelectElement).value); this.#changed(); } },
        ...choices.map(([name, title]) => h("option", { value: name, selected: name === value }, title))));
  }

  #tick(label: string, value: boolean, set: (on: boolean) => void, after?: () => void): HTMLElement {
    return h("label", { class: "tick" }, h("input", { type: "checkbox", checked: value,
      onchange: (event: Event) => { set((event.target as HTMLInputElement).checked); after?.(); this.#changed(); } }), label);
  }

  #titles(holder: { title?: Title }): HTMLElement[] {
    return [
      this.#input(t("Title, English"), part(holder.title, "en"), (text) => { holder.title = withPart(holder.title, "en", text); }, { size: 14 }),
      this.#input(t("Title, Chinese"), part(holder.title, "zh"), (text) => { holder.title = withPart(holder.title, "zh", text); }, { size: 14, lang: "zh" }),
    ];
  }

  #options(holder: { options?: Option[] }): HTMLElement {
    return h("label", { class: "field wide" }, h("span", null, t("Options, one a line: name | English | Chinese")),
      h("textarea", { rows: 3, oninput: (event: Event) => { holder.options = textToOptions((event.target as HTMLTextAreaElement).value, holder.options); this.#changed(); } },
        optionsToText(holder.options)),
      h("span", { class: "hint" }, t("Options in use are not removed: put ~ before the name to retire one.")));
  }

  // --- labels ---

  #drawLabels(): void {
    fill(this.#labels, ...this.doc.labels.map((label, index) => this.#label(label, index)));
  }

  #label(label: Label, index: number): HTMLElement {
    const fresh = label.was === undefined;
    const box = h("div", { class: `entry${label.retired ? " retired" : ""}${fresh ? " new" : ""}` },
      h("div", { class: "row" },
        this.#input(t("Name"), label.name, (text) => { label.name = text.trim(); }, { size: 12, class: "mono", required: true }),
        ...this.#titles(label),
        this.#input(t("Colour"), label.color ?? "#888888", (text) => { label.color = text; box.style.borderLeftColor = text; }, { type: "color", list: "label-colours" }),
        this.#input(t("Hotkey"), label.hotkey ?? "", (text) => { label.hotkey = text || null; }, { size: 2, maxlength: 1 }),
        this.#select(t("Class"), label.class ?? "B", [["A", t("A: an expert decides")], ["B", "B"], ["C", "C"]], (value) => { label.class = value; }),
        this.#select(t("Under"), label.parent ?? "", [["", "–"], ...this.doc.labels.filter((one) => one !== label && one.name).map((one) => [one.name, titleOf(one.title ?? one.name)] as const)],
          (value) => { label.parent = value || null; })),
      h("div", { class: "row" },
        this.#tick(t("retired"), Boolean(label.retired), (on) => { label.retired = on; }, () => this.#drawLabels()),
        h("button", { type: "button", class: "small", onclick: () => { (label.attributes ??= []).push({ name: "", kind: "choice", options: [] }); this.#drawLabels(); this.#changed(); } }, t("Add an attribute")),
        index > 0 && h("button", { type: "button", class: "small plain", onclick: () => this.#move(index) }, t("Up")),
        fresh && h("button", { type: "button", class: "small danger", onclick: () => { this.doc.labels.splice(index, 1); this.#drawLabels(); this.#changed(); } }, t("Remove"))),
      h("div", { class: "attributes" }, ...(label.attributes ?? []).map((attribute) => this.#attribute(label, attribute))));
    if (label.color) box.style.borderLeftColor = label.color;
    return box;
  }

  #move(index: number): void {
    const [label] = this.doc.labels.splice(index, 1);
    this.doc.labels.splice(index - 1, 0, label!);
    this.#drawLabels();
    this.#changed();
  }

  #attribute(label: Label, attribute: Attribute): HTMLElement {
    const fresh = attribute.was === undefined;
    return h("div", { class: `entry${attribute.retired ? " retired" : ""}${fresh ? " new" : ""}` }, h("div", { class: "row" },
      this.#input(t("Attribute"), attribute.name, (text) => { attribute.name = text.trim(); }, { size: 12, class: "mono" }),
      ...this.#titles(attribute),
      this.#select(t("Kind"), attribute.kind, LABEL_KINDS.map((kind) => [kind, kindWord(kind)] as const), (value) => { attribute.kind = value; this.#drawLabels(); }, !fresh),
      this.#tick(t("required"), Boolean(attribute.required), (on) => { attribute.required = on; }),
      this.#tick(t("retired"), Boolean(attribute.retired), (on) => { attribute.retired = on; }),
      fresh && h("button", { type: "button", class: "small danger", onclick: () => { label.attributes = label.attributes!.filter((one) => one !== attribute); this.#drawLabels(); this.#changed(); } }, t("Remove")),
      (attribute.kind === "choice" || attribute.kind === "choices") && this.#options(attribute)));
  }

  // --- questions and constraints ---

  #drawControls(): void {
    fill(this.#controls, ...this.doc.controls.map((control, index) => this.#control(control, index)));
  }

  #control(control: Control, index: number): HTMLElement {
    const regions = control.kind === "regions";
    const bound = (name: "min" | "max"): HTMLElement => this.#input(name === "min" ? t("smallest") : t("largest"), control[name] === undefined ? "" : String(control[name]),
      (text) => { if (text === "") delete control[name]; else control[name] = Number(text); }, { type: "number", step: "any" });
    return h("div", { class: `entry${control.old ? "" : " new"}` },
      h("div", { class: "row" },
        this.#input(t("Name"), control.name, (text) => { control.name = text.trim(); }, { size: 12, class: "mono", readonly: Boolean(control.old) }),
        ...this.#titles(control),
        this.#select(t("Kind"), control.kind, CONTROL_KINDS.map((kind) => [kind, kindWord(kind)] as const), (value) => {
          control.kind = value;
          if (value === "regions") { control.shapes ??= ["box"]; control.asset ??= "image"; control.labels ??= "all"; } else { delete control.shapes; delete control.asset; delete control.labels; }
          if (value === "choice" || value === "choices") control.options ??= [];
          this.#drawControls();
        }, Boolean(control.old)),
        regions && this.#select(t("On"), control.asset ?? "", [["image", t("the picture")], ["text", t("the text")], ...(control.asset && !["image", "text"].includes(control.asset) ? [[control.asset, control.asset] as const] : [])],
          (value) => { control.asset = value; }, Boolean(control.old)),
        !regions && this.#tick(t("required"), Boolean(control.required), (on) => { control.required = on; }),
        control.kind === "number" && bound("min"), control.kind === "number" && bound("max"),
        !control.old && h("button", { type: "button", class: "small danger", onclick: () => { this.doc.controls.splice(index, 1); this.#drawControls(); this.#changed(); } }, t("Remove"))),
      regions && h("div", { class: "row" }, h("span", { class: "quiet small" }, t("Drawn as")), ...this.#boot.shapes.map((shape) =>
        this.#tick(shapeWord(shape), (control.shapes ?? []).includes(shape), (on) => {
          control.shapes = on ? [...(control.shapes ?? []), shape] : (control.shapes ?? []).filter((one) => one !== shape);
        }))),
      regions && h("div", { class: "row" }, h("span", { class: "quiet small" }, t("With")),
        this.#tick(t("all labels"), control.labels === undefined || control.labels === "all", (on) => { control.labels = on ? "all" : this.doc.labels.map((one) => one.name); }, () => this.#drawControls()),
        ...(Array.isArray(control.labels) ? this.doc.labels.map((label) => this.#tick(titleOf(label.title ?? label.name), control.labels!.includes(label.name), (on) => {
          const kept = (control.labels as string[]).filter((one) => one !== label.name);
          control.labels = on ? [...kept, label.name] : kept;
        })) : [])),
      (control.kind === "choice" || control.kind === "choices") && h("div", { class: "row" }, this.#options(control)));
  }

  #drawConstraints(): void {
    fill(this.#constraints, ...this.doc.constraints.map((constraint, index) => h("div", { class: "entry row" },
      this.#select(t("Rule"), constraint.kind, ["max_regions", "min_size_px", "no_overlap"].map((kind) => [kind, constraintWord(kind)] as const), (value) => {
        constraint.kind = value;
        if (value === "no_overlap") delete constraint.value; else constraint.value ??= 1;
        this.#drawConstraints();
      }),
      this.#select(t("For"), constraint.label ?? "", [...(constraint.kind === "no_overlap" ? [] : [["", t("any label")] as const]), ...this.doc.labels.map((one) => [one.name, titleOf(one.title ?? one.name)] as const)],
        (value) => { if (value) constraint.label = value; else delete constraint.label; }),
      constraint.kind !== "no_overlap" && this.#input(t("Value"), String(constraint.value ?? 1), (text) => { constraint.value = Number(text); }, { type: "number", min: 0 }),
      h("button", { type: "button", class: "small danger", onclick: () => { this.doc.constraints.splice(index, 1); this.#drawConstraints(); this.#changed(); } }, t("Remove")))));
  }

  // --- beside ---

  #drawSide(): void {
    if (!this.#side) return;
    const sample = this.#boot.samples[this.#sample];
    const asset = sample?.assets[0];
    const shown = this.doc.labels.filter((label) => !label.retired);
    const chosen = this.doc.labels.find((label) => label.name === this.#chosen);
    fill(this.#side,
      h("h2", null, t("As the bench shows it")),
      h("div", { class: "frame-of-picture" }, asset === undefined ? h("p", { class: "quiet" }, t("No item yet: import some, and one is shown here."))
        : asset.kind === "image" ? h("img", { src: asset.url, alt: sample!.key }) : h("div", { class: "text" }, asset.snippet ?? "…")),
      sample ? h("div", { class: "row" }, h("span", { class: "quiet small" }, sample.key),
        this.#boot.samples.length > 1 && h("button", { type: "button", class: "small", onclick: () => { this.#sample = (this.#sample + 1) % this.#boot.samples.length; this.#drawSide(); } }, t("Another item"))) : null,
      h("ul", { class: "palette" }, ...shown.map((label) => {
        const swatch = h("span", { class: "swatch" });
        swatch.style.background = label.color ?? "#888888";
        return h("li", null, h("button", { type: "button", "aria-pressed": String(label.name === this.#chosen), onclick: () => { this.#chosen = label.name; this.#drawSide(); } },
          h("span", { class: "key" }, label.hotkey || "–"), swatch, h("span", { class: "name" }, titleOf(label.title || label.name) || label.name), h("span", { class: "mark" }, label.class ?? "B")));
      })),
      chosen?.attributes?.length ? h("fieldset", { disabled: true }, h("legend", null, t("Attributes of {label}", { label: titleOf(chosen.title || chosen.name) })), ...chosen.attributes.filter((one) => !one.retired).map((one) => this.#shown(one))) : null,
      ...this.doc.controls.filter((one) => one.kind !== "regions").map((one) => h("fieldset", { disabled: true }, h("legend", null, titleOf(one.title || one.name) + (one.required ? " *" : "")), this.#shown(one, true))),
      titleOf(this.doc.guideline.text) ? h("details", null, h("summary", null, t("Guideline")), h("p", { class: "pre small" }, titleOf(this.doc.guideline.text))) : null);
  }

  #shown(holder: { name: string; kind: string; title?: Title; options?: Option[]; required?: boolean }, bare = false): HTMLElement {
    const options = (holder.options ?? []).filter((one) => !one.retired);
    const field = holder.kind === "choice" || holder.kind === "choices"
      ? h("span", null, ...options.map((one) => h("label", { class: "tick" }, h("input", { type: holder.kind === "choice" ? "radio" : "checkbox" }), titleOf(one.title || one.name))))
      : h("input", { type: holder.kind === "flag" ? "checkbox" : holder.kind === "number" ? "number" : "text", "aria-label": titleOf(holder.title || holder.name) });
    return bare ? field : h("div", { class: "field" }, h("span", { class: "name" }, titleOf(holder.title || holder.name) + (holder.required ? " *" : "")), field);
  }

  // --- publication ---

  #changed(): void {
    const now = JSON.stringify(this.doc.guideline.text);
    const first = this.#boot.document.guideline?.version ?? 1;
    this.doc.guideline.version = this.#boot.version > 0 && now !== this.#guideline ? first + 1 : first;
    this.#drawSide();
    if (this.#raw) this.#raw.textContent = JSON.stringify(cleaned(this.doc), null, 2);
    fill(this.#outcome);
  }

  async #post(url: string, more: Record<string, unknown> = {}): Promise<{ ok: boolean; body: unknown }> {
    const answer = await fetch(url, {
      method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.#csrf },
      body: JSON.stringify({ document: cleaned(this.doc), mapping: mappingOf(this.doc), ...more }),
    });
    return { ok: answer.ok, body: await answer.json() };
  }

  #failure(error: Failure): HTMLElement {
    const where = error.field ? ` (${error.field})` : "";
    return h("p", { class: "notice bad", role: "alert" }, `${t(error.message)}${where} ${error.cure ? t(error.cure) : ""}`);
  }

  async #preview(): Promise<void> {
    const { ok, body } = await this.#post(this.#boot.preview);
    if (!ok) { fill(this.#outcome, this.#failure((body as { error: Failure }).error)); return; }
    const found = body as Preview;
    if (found.refused) { fill(this.#outcome, this.#failure(found.refused)); return; }
    if (found.same) { fill(this.#outcome, h("p", { class: "notice" }, t("Nothing differs from the version in force."))); return; }
    const counts = Object.entries(found.counts.labels).map(([name, n]) =>
      h("li", null, t("{name}: in {accepted} accepted regions and {prelabels} prelabels", { name, accepted: n.accepted, prelabels: n.prelabels })));
    fill(this.#outcome, h("div", { class: "notice" },
      h("h3", null, t("What publication changes")),
      h("ul", { class: "diff" }, ...found.diff.map((one) => h("li", null, this.#sentence(one)))),
      counts.length ? h("ul", null, ...counts) : null,
      h("p", null, t("{n} accepted documents are carried over as new ones; {live} seats at work go on under their version.", { n: found.counts.accepted, live: found.counts.live_seats })),
      h("button", { type: "button", class: "main", onclick: () => void this.#publish() }, t("Publish version {n}", { n: this.#boot.version + 1 }))));
  }

  #sentence(one: Difference): string {
    const what = ({ label: t("label"), attribute: t("attribute"), control: t("question"), schema: t("schema") })[one.what] ?? one.what;
    const name = one.name ? `${what} ${one.name}` : what;
    if (one.kind === "rename") return t("{name} is called {after} from now on", { name, after: String(one.after) });
    if (one.kind === "add") return t("{name} is new", { name });
    if (one.kind === "retire") return t("{name} is retired", { name });
    if (one.kind === "restore") return t("{name} is in use again", { name });
    return t("{name}: {field} changes", { name, field: one.kind });
  }

  async #publish(): Promise<void> {
    const { ok, body } = await this.#post(this.#boot.publish, this.#boot.version ? { if_version: this.#boot.version } : {});
    if (ok) location.reload();
    else fill(this.#outcome, this.#failure((body as { error: Failure }).error));
  }

  start(): void {
    const guideline = (language: "en" | "zh", title: string): HTMLElement => h("label", { class: "field" }, h("span", null, title),
      h("textarea", { rows: 5, lang: language, oninput: (event: Event) => { this.doc.guideline.text = withPart(this.doc.guideline.text, language, (event.target as HTMLTextAreaElement).value); this.#changed(); } }, part(this.doc.guideline.text, language)));
    fill(this.#host,
      h("datalist", { id: "label-colours" }, ...COLOURS.map((value) => h("option", { value }))),
      h("section", { class: "panel" }, h("h2", null, t("Labels")), this.#labels,
        h("button", { type: "button", onclick: () => {
          const used = new Set(this.doc.labels.map((one) => one.color)), keys = new Set(this.doc.labels.map((one) => one.hotkey));
          this.doc.labels.push({ name: "", class: "B", color: COLOURS.find((one) => !used.has(one)) ?? "#586868", attributes: [],
            hotkey: ["1", "2", "3", "4", "5", "6", "7", "8", "9"].find((one) => !keys.has(one)) ?? null });
          this.#drawLabels();
          this.#changed();
          this.#labels.lastElementChild?.querySelector("input")?.focus();
        } }, t("Add a label"))),
      h("section", { class: "panel" }, h("h2", null, t("Questions")), this.#controls,
        h("button", { type: "button", onclick: () => { this.doc.controls.push({ name: "", kind: "choice", options: [], required: false }); this.#drawControls(); this.#changed(); } }, t("Add a question"))),
      h("section", { class: "panel" }, h("h2", null, t("Rules for a submission")), this.#constraints,
        h("button", { type: "button", onclick: () => { this.doc.constraints.push({ kind: "min_size_px", value: 2 }); this.#drawConstraints(); this.#changed(); } }, t("Add a rule"))),
      h("section", { class: "panel" }, h("h2", null, t("Guideline")), guideline("en", t("English")), guideline("zh", t("Chinese"))),
      h("div", { class: "publish" }, h("div", { class: "row" },
        h("button", { type: "button", class: "main", onclick: () => void this.#preview().catch(() => fill(this.#outcome, this.#failure({ code: "no_answer", message: t("The server does not answer.") }))) }, t("Show what would change"))), this.#outcome));
    this.#drawLabels();
    this.#drawControls();
    this.#drawConstraints();
    this.#changed();
  }
}

export const page: PageScript = {
  selector: "[data-schema]",
  start(host: HTMLElement): void {
    const boot = JSON.parse(document.getElementById("schema-boot")!.textContent!) as Boot;
    new Editor(boot, host.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "", host).start();
  },
};
