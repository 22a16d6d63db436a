/**
 * The lead's page stays current: a socket says that something happened, then the changing part is fetched again. At
 * most one fetch a second; while the reader types or has chosen text in that part, it waits.
 */
import { localTimes } from "./times.ts";
import type { PageScript } from "./page.ts";

const PAUSE_MS = 1000;
const MINUTE_MS = 60_000;

export const page: PageScript = {
  selector: "[data-project-live]",
  start(element) {
    const mark = document.querySelector<HTMLElement>("[data-live-mark]");
    const fragment = element.dataset["fragment"];
    const socketPath = element.dataset["socket"];
    if (!fragment || !socketPath) return;
    let wanted = false;
    let timer = 0;
    let tries = 0;

    const say = (on: boolean): void => {
      if (!mark) return;
      mark.dataset["live"] = on ? "on" : "off";
      mark.textContent = (on ? mark.dataset["on"] : mark.dataset["off"]) ?? "";
    };
    const busy = (): boolean => element.contains(document.activeElement)
      || (!(getSelection()?.isCollapsed ?? true) && element.contains(getSelection()?.anchorNode ?? null));

    const load = async (): Promise<void> => {
      timer = 0;
      if (busy() || document.hidden) { later(); return; }
      wanted = false;
      const answer = await fetch(fragment, { headers: { Accept: "text/html" }, redirect: "error" }).catch(() => null);
      if (answer?.ok) {
        const text = await answer.text();
        element.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
        localTimes(element);
      } else if (answer && answer.status >= 400 && answer.status < 500) {
        location.reload();  // signed out or no longer a member: the server says what to do
        return;
      } else say(false);
      if (wanted) later();
    };
    const later = (): void => {
      wanted = true;
      if (!timer) timer = window.setTimeout(() => void load(), PAUSE_MS);
    };

    const listen = (): void => {
      const address = new URL(socketPath, location.href);
      address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
      const socket = new WebSocket(address);
      socket.onopen = () => {
        if (tries > 0) later();  // what happened meanwhile
        tries = 0;
        say(true);
      };
      socket.onmessage = later;
      socket.onclose = (event) => {
        say(false);
        if (event.code === 4403 || event.code === 4404) return;
        tries += 1;
        window.setTimeout(listen, Math.min(30_000, 500 * 2 ** tries));
      };
    };
    listen();
    // Leases and rates age without an event.
    window.setInterval(later, MINUTE_MS);
    document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) later(); });
  },
};
