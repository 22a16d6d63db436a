/** Short messages over the foot of the bench. They say what happened; nothing waits for them. */

import { h } from "./dom.ts";

export type Tone = "info" | "ok" | "warn" | "bad";
const SHOWN_MS = 4500;

let stack: HTMLElement | null = null;

export function toast(message: string, tone: Tone = "info"): void {
  if (!stack?.isConnected) {
    stack = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(stack);
  }
  for (const old of [...stack.children]) if (old.textContent === message) old.remove();
  const element = h("div", { class: `toast is-${tone}` }, message);
  stack.append(element);
  while (stack.children.length > 3) stack.firstElementChild!.remove();
  // Bad news stays until it is read.
  window.setTimeout(() => element.remove(), tone === "bad" ? 3 * SHOWN_MS : SHOWN_MS);
  element.addEventListener("click", () => element.remove());
}

export function clearToasts(): void {
  stack?.remove();
  stack = null;
}
