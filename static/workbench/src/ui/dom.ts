/** Making elements without a framework. Text is always text: nothing here parses HTML, so names cannot inject. */

type Child = Node | string | null | undefined | false;
type Props = { readonly [name: string]: unknown };

/** `h("button", {class: "x", onclick: run, "aria-label": "…"}, "text")`. Functions become listeners, false is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props?: Props | null, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (name === "class") element.className = String(value);
    else if (name === "value" && "value" in element) (element as unknown as { value: string }).value = String(value);
    else if (name === "checked" && "checked" in element) (element as unknown as { checked: boolean }).checked = Boolean(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replaces what an element holds. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
}

/** Sets text only when it differs: an unchanged node keeps selection and is not announced again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A strict style policy forbids style attributes; the object model is allowed. */
export function setVar(element: HTMLElement, name: string, value: string): void {
  element.style.setProperty(name, value);
}

export function isEditable(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range", "submit", "color"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}
