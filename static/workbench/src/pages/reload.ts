/** While a job that this page waits for runs, the page is loaded again every few seconds, unless somebody types. */
import type { PageScript } from "./page.ts";

const PERIOD_MS = 3000;

export const page: PageScript = {
  selector: "[data-reload-while-running]",
  start() {
    const again = (): void => {
      const active = document.activeElement;
      if (active instanceof HTMLInputElement || active instanceof HTMLTextAreaElement || document.hidden) {
        window.setTimeout(again, PERIOD_MS);
      } else location.reload();
    };
    window.setTimeout(again, PERIOD_MS);
  },
};
