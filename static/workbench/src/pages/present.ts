/** A page of a signed-in account: benches in other tabs that wait for a new sign-in send their work now. */
import { announceAccount } from "../sync/store.ts";
import type { PageScript } from "./page.ts";

export const page: PageScript = {
  selector: "body[data-account]",
  start(element) {
    announceAccount((element as HTMLElement).dataset["account"]!);
  },
};
