/** The button beside a secret that is shown once. */
import type { PageScript } from "./page.ts";

export const page: PageScript = {
  selector: "[data-copy]",
  start(element) {
    const field = element.parentElement?.querySelector<HTMLInputElement>("[data-copy-text]");
    if (!field || !navigator.clipboard) return;
    element.hidden = false;
    element.addEventListener("click", () => {
      field.select();
      void navigator.clipboard.writeText(field.value).catch(() => undefined);
    });
  },
};
