/** Absolute times on hover become the reader's own; the server does not know the zone. */
import type { PageScript } from "./page.ts";

export function localTimes(root: ParentNode): void {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
  for (const time of root.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) time.title = format.format(at);
  }
}

export const page: PageScript = {
  selector: "main",
  start(element) { localTimes(element); },
};
