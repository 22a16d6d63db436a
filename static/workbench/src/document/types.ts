/** The annotation document and the change grammar, format 1. Types only: no behaviour, no DOM. */

export type Title = string | { readonly [lang: string]: string };
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Origin { readonly kind: "drawn" | "kept" | "edited" | "copied" | "bulk" | "imported"; readonly prelabel?: string; readonly region?: string; readonly source?: string }
export interface BoxGeometry { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number }
export type Ring = readonly (readonly [number, number])[];
export interface PolygonGeometry { readonly rings: readonly Ring[] }
/** Sparse 256-pixel tiles: "tx,ty" -> digest of the part that holds the tile's run lengths. */
export interface MaskGeometry { readonly tiles: { readonly [tile: string]: string } }
/** Half-open, in code points of the asset's text. */
export interface SpanGeometry { readonly start: number; readonly end: number; readonly quote: string }
export type Geometry = BoxGeometry | PolygonGeometry | MaskGeometry | SpanGeometry | { readonly [key: string]: Json };

export interface Region {
  readonly id: string; readonly shape: string; readonly label: string; readonly geometry: Geometry;
  readonly attributes: { readonly [name: string]: Json }; readonly asset: string | null; readonly origin: Origin;
  readonly z?: number; readonly frame?: number;
}
export interface Document {
  readonly format: 1; readonly regions: { readonly [id: string]: Region };
  readonly answers: { readonly [control: string]: Json }; readonly unusable: string | null;
}

export type Change =
  | { readonly op: "add"; readonly region: Region }
  | { readonly op: "remove"; readonly region: Region }
  | { readonly op: "replace"; readonly before: Region; readonly after: Region }
  | { readonly op: "set"; readonly path: readonly string[]; readonly before: Json; readonly after: Json }
  | { readonly op: "tile"; readonly region: string; readonly tile: string; readonly before: string | null; readonly after: string | null };

export interface Option { readonly name: string; readonly title: Title; readonly hotkey?: string }
export interface Attribute { readonly name: string; readonly kind: "choice" | "choices" | "text" | "number" | "flag"; readonly title: Title; readonly options?: readonly Option[]; readonly required?: boolean; readonly default?: Json }
export interface Label { readonly name: string; readonly title: Title; readonly parent?: string | null; readonly color: string; readonly hotkey?: string; readonly class: "A" | "B" | "C"; readonly retired?: boolean; readonly attributes?: readonly Attribute[] }
export interface Control { readonly name: string; readonly kind: "regions" | "choice" | "choices" | "text" | "number"; readonly title: Title; readonly shapes?: readonly string[]; readonly asset?: string | null; readonly labels?: "all" | readonly string[]; readonly options?: readonly Option[]; readonly required?: boolean; readonly min?: number; readonly max?: number }
export interface Schema { readonly format: 1; readonly title: Title; readonly controls: readonly Control[]; readonly labels: readonly Label[]; readonly constraints?: readonly Json[]; readonly guideline?: { readonly version: number; readonly text: Title } }

export interface Asset { readonly id: string; readonly role: string; readonly kind: "image" | "text"; readonly name: string; readonly url: string; readonly width?: number; readonly height?: number; readonly text?: string }
export interface Prelabel { readonly id: string; readonly source: string; readonly version?: string; readonly score?: number | null; readonly regions: { readonly [id: string]: Region }; readonly answers: { readonly [control: string]: Json } }
export interface Mark { readonly region?: string; readonly text: string; readonly error_type?: string }
export type DifferenceKind = "missing" | "extra" | "label" | "extent" | "attribute" | "relation" | "answer" | "usability";
export interface Difference { readonly id: string; readonly kind: DifferenceKind; readonly class: "A" | "B" | "C"; readonly label: string | null; readonly regions: { readonly [side: string]: string | null }; readonly field?: string; readonly values?: { readonly [side: string]: Json } }
export interface Side { readonly key: string; readonly document: Document }

/** What the server hands over for one seat; see the API reference. */
export interface Work {
  readonly assignment: { readonly id: string; readonly token: string; readonly stage: "label" | "check" | "arbitrate"; readonly state: string; readonly lease_until: string; readonly revision: number; readonly digest: string; readonly grace_s: number; readonly parkable: boolean; readonly ahead: boolean };
  readonly project: { readonly id: string; readonly title: string };
  readonly task: { readonly id: string };
  readonly item: { readonly id: string; readonly key: string | null; readonly metadata: { readonly [key: string]: Json }; readonly assets: readonly Asset[] };
  readonly schema: { readonly id: string; readonly version: number; readonly document: Schema };
  readonly document: Document;
  readonly prelabels: readonly Prelabel[];
  readonly marks: readonly Mark[];
  readonly server_now: string;
  readonly dispute?: { readonly id: string };
  readonly sides?: readonly Side[];
  readonly differences?: readonly Difference[];
  readonly agreed?: Document;
  readonly check?: { readonly error_types: readonly string[] };
}
export interface Boot {
  readonly work: Work; readonly language: string; readonly theme: string; readonly keys: { readonly [action: string]: string };
  readonly csrf: string; readonly account: { readonly id: string; readonly name: string }; readonly urls: { readonly [name: string]: string };
}
