/** A stretch of text, half-open, in code points. It has no place in a picture: its bounds lie on one line of offsets. */

import { t } from "../core/i18n.ts";
import type { Geometry, SpanGeometry } from "../document/types.ts";
import type { ShapeKind } from "./shape.ts";

const QUOTE_SHOWN = 40;
const of = (geometry: Geometry): SpanGeometry => geometry as SpanGeometry;

export const shape: ShapeKind = {
  name: "span",
  title: () => t("span"),
  bounds: (geometry) => ({ x0: of(geometry).start, y0: 0, x1: of(geometry).end, y1: 1 }),
  rings: () => [],
  area: (geometry) => of(geometry).end - of(geometry).start,
  hit: () => null,
  handles: () => [],
  move: () => null,
  drag: () => null,
  resize: () => null,
  text: (geometry) => {
    const quote = Array.from(of(geometry).quote.replace(/\s+/g, " "));
    return quote.length > QUOTE_SHOWN ? `${quote.slice(0, QUOTE_SHOWN - 1).join("")}…` : quote.join("");
  },
};
