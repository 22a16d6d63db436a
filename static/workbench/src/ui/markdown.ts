/** The guideline's markdown subset as elements: headings, lists, paragraphs, bold, italic, code. Text in, nodes out, no HTML. */

import { h } from "./dom.ts";

function inline(text: string): Node[] {
  const nodes: Node[] = [];
  let rest = text;
  for (;;) {
    const found = /\*\*(.+?)\*\*|\*(.+?)\*|`(.+?)`/.exec(rest);
    if (!found) break;
    if (found.index > 0) nodes.push(document.createTextNode(rest.slice(0, found.index)));
    if (found[1] !== undefined) nodes.push(h("strong", null, found[1]));
    else if (found[2] !== undefined) nodes.push(h("em", null, found[2]));
    else nodes.push(h("code", null, found[3] ?? ""));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest !== "") nodes.push(document.createTextNode(rest));
  return nodes;
}

export function markdown(text: string): DocumentFragment {
  const out = document.createDocumentFragment();
  let list: HTMLElement | null = null;
  let paragraph: string[] = [];
  const flush = (): void => {
    if (paragraph.length > 0) out.append(h("p", null, ...inline(paragraph.join(" "))));
    paragraph = [];
  };
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    const heading = /^(#{1,4})\s+(.*)$/.exec(line);
    const bullet = /^(?:[-*]|(\d+)[.)])\s+(.*)$/.exec(line);
    if (bullet) {
      flush();
      const wanted = bullet[1] ? "OL" : "UL";
      if (list?.tagName !== wanted) {
        list = h(bullet[1] ? "ol" : "ul");
        out.append(list);
      }
      list.append(h("li", null, ...inline(bullet[2]!)));
      continue;
    }
    list = null;
    if (line === "") flush();
    else if (heading) {
      flush();
      out.append(h(heading[1]!.length <= 2 ? "h3" : "h4", null, ...inline(heading[2]!)));
    } else paragraph.push(line);
  }
  flush();
  return out;
}
