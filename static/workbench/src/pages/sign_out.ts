/** Signing out wipes what this browser keeps of the account, in every tab, before the session ends. */
import { forgetAccount } from "../sync/store.ts";
import type { PageScript } from "./page.ts";

export const page: PageScript = {
  selector: "form[data-sign-out]",
  start(element) {
    const form = element as HTMLFormElement;
    form.addEventListener("submit", (event) => {
      const account = document.body.dataset["account"];
      if (!account || form.dataset["wiped"]) return;
      event.preventDefault();
      // A browser that refuses its store must not keep anybody signed in.
      void forgetAccount(account).catch(() => undefined).finally(() => {
        form.dataset["wiped"] = "1";
        form.requestSubmit();
      });
    });
  },
};
