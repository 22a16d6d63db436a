/** Looks a shape up by name; an unknown one stays listed and is drawn by nothing. Pure. */

import { shapes } from "../generated/shapes.ts";
import type { Region } from "../document/types.ts";
import type { ShapeKind } from "./shape.ts";

const byName = new Map<string, ShapeKind>((shapes as readonly ShapeKind[]).map((shape) => [shape.name, shape]));

export function shapeOf(region: { readonly shape: string }): ShapeKind | undefined {
  return byName.get(region.shape);
}

export function textOf(region: Region): string {
  return shapeOf(region)?.text(region.geometry) ?? "";
}
