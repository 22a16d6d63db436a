/** Icons on a 20-unit grid, stroked in the colour of the text. Drawn for this bench. */

const PATHS: { readonly [name: string]: string } = {
  select: "M5 3l10 7.2-4.6.8 2.6 4.9-2 1-2.5-5L5 15z",
  box: "M3.5 5.5h13v9h-13z M2.5 4.5h2v2h-2z M15.5 4.5h2v2h-2z M2.5 13.5h2v2h-2z M15.5 13.5h2v2h-2z",
  polygon: "M10 3l6.5 5-2.5 8h-8L3.5 8z M10 3v.01 M16.5 8v.01 M14 16v.01 M6 16v.01 M3.5 8v.01",
  brush: "M16.5 3.5c-4 2-7 5-8.5 7.5l1.8 1.8c2.6-1.6 5.2-4.800 6.700-9.300z M7.500 11.500c-2.400-.3-3 1.600-3.200 3-.1 1-.8 1.500-1.300 1.700 2.500.8 6 .3 6.200-2.900",
  eraser: "M8 16.500h9 M3.500 12.500l8-8.500 5 4.600-7.400 7.900H6.800z M7.500 8.300l5 4.600",
  pan: "M7 10V5.200a1.200 1.200 0 0 1 2.400 0V9m0-.5V4.200a1.200 1.200 0 0 1 2.400 0V9m0-3.500a1.200 1.200 0 0 1 2.400 0V12c0 3-1.800 5-4.500 5-2.300 0-3.500-1-4.700-3.200L3.400 11c-.5-1 .8-1.900 1.700-1L7 12z",
  assist: "M4 16L12 8 M12.500 3v3 M12.500 10v2.500 M9 6.500h2 M14.500 6.500h2.500 M15.700 3.300l-1.200 1.200 M15.700 9.700l-1.200-1.200",
  zoom_in: "M8.500 3.500a5 5 0 1 0 0 10 5 5 0 0 0 0-10z M12.200 12.200L17 17 M6 8.500h5 M8.500 6v5",
  zoom_out: "M8.500 3.500a5 5 0 1 0 0 10 5 5 0 0 0 0-10z M12.200 12.200L17 17 M6 8.500h5",
  fit: "M3.500 7.500v-4h4 M12.500 3.500h4v4 M16.500 12.500v4h-4 M7.500 16.500h-4v-4 M7 7h6v6H7z",
  undo: "M4 8h8a4.500 4.500 0 0 1 0 9H8 M7 4.500L3.500 8 7 11.500",
  redo: "M16 8H8a4.500 4.500 0 0 0 0 9h4 M13 4.500L16.500 8 13 11.500",
  hide: "M3 10c2-3.300 4.300-5 7-5s5 1.700 7 5c-2 3.300-4.300 5-7 5s-5-1.700-7-5z M10 7.800a2.200 2.200 0 1 0 0 4.400 2.200 2.200 0 0 0 0-4.400z M4 16.500L16 3.500",
  show: "M3 10c2-3.300 4.300-5 7-5s5 1.700 7 5c-2 3.300-4.300 5-7 5s-5-1.700-7-5z M10 7.800a2.200 2.200 0 1 0 0 4.400 2.200 2.200 0 0 0 0-4.400z",
  trash: "M4 6h12 M8 6V4h4v2 M5.500 6l.8 10.500h7.400L14.500 6 M8.500 9v5 M11.500 9v5",
  fold: "M5 8l5 5 5-5",
  back: "M12.500 4.500L7 10l5.500 5.500",
  help: "M7.200 7.500a2.800 2.800 0 1 1 4.200 2.600c-.9.500-1.400 1-1.400 2.200 M10 15.200v.3",
  more: "M5 10v.01 M10 10v.01 M15 10v.01",
  side: "M3.500 4.500h13v11h-13z M12.500 4.500v11",
  check: "M4 10.500l4 4 8-9",
  warn: "M10 3.500L17.500 16h-15z M10 8.500v3.500 M10 14v.2",
};

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: string, size = 20): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("width", String(size));
  svg.setAttribute("height", String(size));
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  path.setAttribute("fill", "none");
  path.setAttribute("stroke", "currentColor");
  path.setAttribute("stroke-width", ["more", "polygon"].includes(name) ? "1.7" : "1.5");
  path.setAttribute("stroke-linecap", "round");
  path.setAttribute("stroke-linejoin", "round");
  svg.append(path);
  return svg;
}
