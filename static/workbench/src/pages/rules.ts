/** Follows the jobs on the page "Rules and models": moves their bars and loads the page again when one ends. */
import type { PageScript } from "./page.ts";
import { t } from "../core/i18n.ts";

const EVERY_MS = 1000;

interface Job {
  readonly state: string;
  readonly progress: number;
  readonly total: number | null;
  readonly message: string;
}

async function look(element: HTMLElement): Promise<void> {
  const id = element.dataset["rulesJob"] ?? "";
  const answer = await fetch(`/api/jobs/${encodeURIComponent(id)}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const body = (await answer.json()) as Job | { readonly job: Job };
  const job = "job" in body ? body.job : body;
  if (job.state !== "queued" && job.state !== "running") {
    // A form that somebody is filling in is not thrown away: the page then waits for its own next load.
    if (document.querySelector("details[open]") === null) location.reload();
    else element.remove();
    return;
  }
  const bar = element.querySelector("progress");
  const words = element.querySelector("[data-words]");
  if (bar !== null && job.total !== null && job.total > 0) {
    bar.max = job.total;
    bar.value = job.progress;
  }
  if (words !== null && job.state === "running") {
    words.textContent = job.total === null ? t("at work") : `${job.progress} / ${job.total}`;
  }
}

export const page: PageScript = {
  selector: "[data-rules-job]",
  start(element: HTMLElement): void {
    const tick = (): void => {
      if (!element.isConnected) return;
      look(element)
        .catch(() => undefined) // the server is away for a moment: the next look tries again
        .finally(() => setTimeout(tick, EVERY_MS));
    };
    setTimeout(tick, EVERY_MS);
  },
};
