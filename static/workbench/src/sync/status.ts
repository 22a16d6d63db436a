/** What the bar says of the own work. Pure: the caller gives the moment and asks again each second. */
import { t } from "../core/i18n.ts";
import { ago, duration } from "../core/time.ts";
import type { SaveStatus } from "../ui/context.ts";

export function statusText(status: SaveStatus, now: number): string {
  const again = status.retry_at === undefined ? null : Math.max(0, status.retry_at - now);
  switch (status.state) {
    case "saved":
      return status.saved_at === undefined ? t("saved") : t("saved {ago}", { ago: ago(status.saved_at, now) });
    case "dirty": return t("not saved yet");
    case "saving": return t("saving");
    case "kept":
    case "offline": {
      const kept = again === null ? t("kept here, not sent")
        : t("kept here, sent again in {duration}", { duration: duration(again + 999) });
      return status.message ? `${kept}: ${status.message}` : kept;
    }
    case "lost": return status.message ?? t("the seat went to somebody else; your work is parked");
    case "conflict": return status.message ?? t("changed in another window: choose a version");
    case "signed_out": return status.message ?? t("not saved: sign in again; kept here");
  }
}
