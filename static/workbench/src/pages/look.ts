/** Language and theme change as soon as they are chosen; without a script the form has a button. */
import type { PageScript } from "./page.ts";

export const page: PageScript = {
  selector: "form[data-look]",
  start(element) {
    const form = element as HTMLFormElement;
    for (const select of form.querySelectorAll("select")) select.addEventListener("change", () => form.requestSubmit());
  },
};
