/** From task to task: one seat ahead, opened or given up, freed when the tab closes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asset, Work } from "../src/document/types.ts";
import type { Answer } from "../src/sync/api.ts";
import { toBase64 } from "../src/sync/api.ts";
import { Flow } from "../src/sync/flow.ts";

const work = (id: string): Work => ({
  assignment: { id, token: `t_${id}` },
  item: { assets: [{ id: `im_${id}`, kind: "image", role: "image", name: "", url: "/x" }, { id: "tx", kind: "text", role: "text", name: "", url: "/y" }] },
} as unknown as Work);

class Server {
  readonly calls: string[] = [];
  ahead: (() => unknown)[] = [];
  now: (() => unknown)[] = [];
  open: (work: string) => Answer<unknown> = (id) => ({ ok: true, status: 200, data: work(id) });
  async send<T>(_method: string, path: string, body?: unknown): Promise<Answer<T>> {
    this.calls.push(path.replace(/^\/api\//, "") + (path.endsWith("claims") ? `?ahead=${(body as { ahead: boolean }).ahead}` : ""));
    await Promise.resolve();
    if (path.endsWith("/claims")) {
      const data = ((body as { ahead: boolean }).ahead ? this.ahead : this.now).shift()?.() ?? { assignment: null, reason: { code: "nothing_left", message: "" } };
      return { ok: true, status: 201, data: data as T };
    }
    const [, , , id, verb] = path.split("/");
    return (verb === "open" ? this.open(id!) : { ok: true, status: 200, data: null }) as Answer<T>;
  }
}

test("the seat ahead is fetched with its pictures and opened", async () => {
  const server = new Server();
  const fetched: Asset[] = [];
  server.ahead = [() => work("one")];
  const flow = new Flow(server, "p", "label", (asset) => fetched.push(asset));
  await Promise.all([flow.prepare(), flow.prepare()]);
  assert.deepEqual(fetched.map((asset) => asset.id), ["im_one"]);
  const next = await flow.next();
  assert.equal(next.kind === "work" && next.work.assignment.id, "one");
  assert.equal(flow.ahead, null);
  assert.deepEqual(server.calls, ["projects/p/claims?ahead=true", "assignments/one/open"]);
});

test("a seat ahead that is gone falls back to the queue; an empty queue says why", async () => {
  const server = new Server();
  server.ahead = [() => work("one")];
  server.now = [() => work("two")];
  server.open = () => ({ ok: false, status: 409, error: { code: "lease_lost", message: "" } });
  const flow = new Flow(server, "p", "label", () => undefined);
  await flow.prepare();
  const next = await flow.next();
  assert.equal(next.kind === "work" && next.work.assignment.id, "two");
  const nothing = await flow.next();
  assert.equal(nothing.kind === "nothing" && nothing.reason.code, "nothing_left");
});

test("closing the tab frees it, also when it is still on its way; other stages ask for none", async () => {
  const server = new Server();
  server.ahead = [() => work("one"), () => work("two")];
  const flow = new Flow(server, "p", "label", () => undefined);
  await flow.prepare();
  flow.release();
  assert.ok(server.calls.includes("assignments/one/release"));
  flow.reopen();
  const asking = flow.prepare();
  flow.release();
  await asking;
  await Promise.resolve();
  assert.ok(server.calls.includes("assignments/two/release"));
  const check = new Flow(new Server(), "p", "check", () => undefined);
  await check.prepare();
  assert.equal(check.ahead, null);
});

test("base64 of parts", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 31) & 255);
  assert.deepEqual(Uint8Array.from(atob(toBase64(bytes)), (c) => c.charCodeAt(0)), bytes);
});
