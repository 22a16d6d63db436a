/**
 * The page of items: uploads files and imports them, follows jobs, ticks all. Lists and bulk actions are plain forms
 * and work without this.
 */
import "../styles/pages_items.css";
import { fill, h } from "../ui/dom.ts";
import { t, tn } from "../core/i18n.ts";
import type { PageScript } from "./page.ts";

const SIMPLE_BYTES = 64 * 2 ** 20;
const PIECE_BYTES = 8 * 2 ** 20;
const EVERY_MS = 700;
const ROWS: { readonly [suffix: string]: string } = {
  zip: "application/zip", json: "application/json", jsonl: "application/x-ndjson", ndjson: "application/x-ndjson",
};

interface Failure { readonly message: string; readonly cure?: string; readonly place?: string; readonly offset?: number }
interface Job {
  readonly id: string; readonly state: string; readonly progress: number; readonly total: number | null;
  readonly message: string; readonly error: Failure | null;
  readonly result: { readonly total: number; readonly accepted: number; readonly already_there: number; readonly rejected: number; readonly rejects: string | null } | null;
}

class Refused extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super([failure.message, failure.place ? `(${failure.place})` : "", failure.cure ?? ""].filter(Boolean).join(" "));
    this.failure = failure;
  }
}

/** XMLHttpRequest, because fetch does not tell how much of a body has left. */
function send<T>(method: string, url: string, body: XMLHttpRequestBodyInit | null, headers: Record<string, string>,
                 signal: AbortSignal, sent?: (bytes: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.responseType = "json";
    if (sent) request.upload.onprogress = (event) => sent(event.loaded);
    request.onload = () => {
      const answer = request.response as { error?: Failure } | null;
      if (request.status >= 200 && request.status < 300) resolve(answer as T);
      else reject(new Refused(answer?.error ?? { message: `HTTP ${request.status}` }));
    };
    request.onerror = () => reject(new Refused({ message: t("The server does not answer."), cure: t("Press the button again: what arrived is not sent twice.") }));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

const suffixOf = (name: string): string => name.slice(name.lastIndexOf(".") + 1).toLowerCase();

function start(box: HTMLElement): void {
  const project = box.dataset["project"] ?? "";
  const csrf = box.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
  const files = box.querySelector<HTMLInputElement>("[data-files]")!;
  const batch = box.querySelector<HTMLInputElement>("[data-batch]")!;
  const refuse = box.querySelector<HTMLInputElement>("[data-refuse]")!;
  const go = box.querySelector<HTMLButtonElement>("[data-send]")!;
  const stop = box.querySelector<HTMLButtonElement>("[data-stop]")!;
  const said = box.querySelector<HTMLElement>("[data-said]")!;
  const bar = box.querySelector<HTMLProgressElement>("[data-bar]")!;
  const result = box.querySelector<HTMLElement>("[data-result]")!;
  const base = `/api/projects/${encodeURIComponent(project)}`;
  let control = new AbortController();

  const say = (text: string, share?: number): void => {
    said.textContent = text;
    bar.hidden = share === undefined;
    if (share !== undefined) bar.value = share;
  };
  const headers = (more: Record<string, string>): Record<string, string> => ({ "X-CSRFToken": csrf, Accept: "application/json", ...more });

  async function uploadOne(file: File, sent: (bytes: number) => void): Promise<string> {
    if (file.size <= SIMPLE_BYTES) {
      const answer = await send<{ asset: { sha256: string } }>("POST", `${base}/assets`, file,
        headers({ "Content-Type": "application/octet-stream", "X-Name": encodeURIComponent(file.name) }), control.signal, sent);
      return answer.asset.sha256;
    }
    const { upload } = await send<{ upload: string }>("POST", `${base}/assets`, JSON.stringify({ name: file.name, size: file.size }),
      headers({ "Content-Type": "application/json" }), control.signal);
    for (let offset = 0, tries = 0; offset < file.size;) {
      try {
        const piece = file.slice(offset, offset + PIECE_BYTES);
        offset = (await send<{ offset: number }>("PATCH", `/api/uploads/${upload}`, piece,
          headers({ "Content-Type": "application/octet-stream", "Upload-Offset": String(offset) }), control.signal,
          (bytes) => sent(offset + bytes))).offset;
        tries = 0;
      } catch (error) {
        // A piece that broke off: the server says where it stands; three failures in a row end it.
        if (!(error instanceof Refused) || ++tries > 3) throw error;
        offset = (await send<{ offset: number }>("GET", `/api/uploads/${upload}`, null, headers({}), control.signal)).offset;
      }
    }
    const done = await send<{ asset: { sha256: string } }>("POST", `/api/uploads/${upload}/finish`, "{}",
      headers({ "Content-Type": "application/json" }), control.signal);
    return done.asset.sha256;
  }

  async function importBody(body: Blob, type: string): Promise<Job> {
    const query = new URLSearchParams({ on_bad: refuse.checked ? "refuse" : "partial" });
    if (batch.value.trim()) query.set("batch", batch.value.trim());
    const { job } = await send<{ job: string }>("POST", `${base}/imports?${query}`, body,
      headers({ "Content-Type": type, "Idempotency-Key": crypto.randomUUID() }), control.signal,
      (bytes) => say(t("Sending…"), bytes / body.size));
    for (;;) {
      const now = await send<Job>("GET", `/api/jobs/${job}`, null, headers({}), control.signal);
      if (now.state !== "queued" && now.state !== "running") return now;
      say(now.message || (now.state === "queued" ? t("Waits for its worker…") : t("Reading rows…")), now.total ? now.progress / now.total : 0);
      await new Promise((wake) => setTimeout(wake, EVERY_MS));
    }
  }

  function report(job: Job, name: string): void {
    const parts: (Node | string)[] = [h("h3", null, name)];
    if (job.error) parts.push(h("p", { class: "notice bad", role: "alert" }, new Refused(job.error).message));
    if (job.result) {
      const r = job.result;
      parts.push(h("p", { class: r.rejected ? "notice warn" : "notice ok" },
        t("{accepted} of {total} rows accepted, {there} there already, {rejected} rejected", { accepted: r.accepted, total: r.total, there: r.already_there, rejected: r.rejected })));
      if (r.rejects) parts.push(h("a", { class: "button", href: `/api/jobs/${job.id}/rejects`, download: true }, t("Rejected rows")), " ");
    }
    result.append(...parts);
  }

  async function run(): Promise<void> {
    const chosen = [...(files.files ?? [])];
    if (!chosen.length) { say(t("Choose files first.")); files.focus(); return; }
    fill(result);
    control = new AbortController();
    go.disabled = true;
    stop.hidden = false;
    try {
      const whole = chosen.filter((file) => suffixOf(file.name) in ROWS);
      const single = chosen.filter((file) => !(suffixOf(file.name) in ROWS));
      const all = single.reduce((sum, file) => sum + file.size, 0) || 1;
      const failed: string[] = [];
      const rows: string[] = [];
      let before = 0;
      for (const [index, file] of single.entries()) {
        const tell = (bytes: number): void => say(t("File {n} of {all}: {name}", { n: index + 1, all: single.length, name: file.name }), (before + bytes) / all);
        tell(0);
        try {
          const sha256 = await uploadOne(file, tell);
          const role = /^(txt|md|text|markdown)$/.test(suffixOf(file.name)) ? "text" : "image";
          rows.push(JSON.stringify({ external_key: file.name.slice(0, 200), assets: [{ role, sha256 }] }));
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          failed.push(`${file.name}: ${error.message}`);
        }
        before += file.size;
      }
      let last: Job | null = null;
      // Rows may name files of the same choice, so they go last.
      if (rows.length) last = await importBody(new Blob([rows.join("\n")]), "application/x-ndjson");
      if (last) report(last, tn("{n} file", "{n} files", rows.length));
      for (const file of whole) report(await importBody(file, ROWS[suffixOf(file.name)]!), file.name);
      result.append(h("p", null, h("a", { class: "button main", href: location.pathname }, t("Show the items"))));
      say(failed.length ? tn("{n} file was not taken.", "{n} files were not taken.", failed.length) : t("Done."));
      if (failed.length) result.prepend(h("ul", { class: "notice bad" }, ...failed.slice(0, 20).map((text) => h("li", null, text))));
    } catch (error) {
      const stopped = error instanceof DOMException;
      say(stopped ? t("Stopped. What was imported stays.") : String((error as Error).message));
    } finally {
      go.disabled = false;
      stop.hidden = true;
      bar.hidden = true;
    }
  }
  go.addEventListener("click", () => void run());
  stop.addEventListener("click", () => control.abort());
}

/** Unfinished jobs in the page's table: their bars move; the page loads again when one ends and nobody is typing. */
function follow(row: HTMLElement): void {
  const bar = row.querySelector("progress");
  const look = async (): Promise<void> => {
    const answer = await fetch(`/api/jobs/${encodeURIComponent(row.dataset["job"] ?? "")}`, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const job = (await answer.json()) as Job;
      if (job.state !== "queued" && job.state !== "running") {
        const busy = document.querySelector("[data-stop]:not([hidden])") || document.querySelector("[name=ids]:checked") || document.activeElement instanceof HTMLInputElement;
        if (!busy) location.reload();
        return;
      }
      if (bar && job.total) { bar.max = job.total; bar.value = job.progress; }
    }
    setTimeout(() => void look().catch(() => undefined), EVERY_MS);
  };
  void look().catch(() => undefined);
}

function ticks(form: HTMLElement): void {
  const all = form.querySelector<HTMLInputElement>("[data-all]");
  const boxes = [...form.querySelectorAll<HTMLInputElement>("[name=ids]")];
  const chosen = form.querySelector<HTMLOptionElement>("[data-chosen]");
  const count = (): void => {
    const n = boxes.filter((box) => box.checked).length;
    if (chosen) chosen.textContent = tn("the {n} ticked item", "the {n} ticked items", n);
    if (all) { all.checked = n === boxes.length; all.indeterminate = n > 0 && n < boxes.length; }
  };
  all?.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; count(); });
  form.addEventListener("change", count);
  count();
}

export const page: PageScript = {
  selector: "[data-import], [data-job], [data-bulk]",
  start(element: HTMLElement): void {
    if ("import" in element.dataset) start(element);
    else if ("job" in element.dataset) follow(element);
    else ticks(element);
  },
};
