/** Signing out wipes what this browser keeps of the account, in every tab, before the session ends. */
import { t } from "../core/i18n.ts";
import { forgetAccount, openStore } from "../sync/store.ts";
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
      void wipe(account).catch(() => true).then((wiped) => {
        if (!wiped) return;
        form.dataset["wiped"] = "1";
        form.requestSubmit();
      });
    });
  },
};

/** False: there is work that the server never got, and its owner would rather send it first. */
async function wipe(account: string): Promise<boolean> {
  const unsent = await (await openStore()).waiting(account);
  if (unsent.length > 0 && !window.confirm(t("Work in this browser is not sent yet and would be lost: open the task again to send it. Sign out all the same?"))) {
    return false;
  }
  await forgetAccount(account);
  return true;
}
