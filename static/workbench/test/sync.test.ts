/** The outbox and the saver: what is kept is never lost, never sent twice, never written over somebody else's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digest } from "../src/core/canonical.ts";
import { apply, emptyDocument } from "../src/document/changes.ts";
import { History } from "../src/document/history.ts";
import { PartStore, TILE_PIXELS } from "../src/document/parts.ts";
import type { Change, Document } from "../src/document/types.ts";
import { ActiveTime } from "../src/sync/active.ts";
import { Saver, type SaverEvents, SaveRefused } from "../src/sync/saver.ts";
import { statusText } from "../src/sync/status.ts";
import { MemoryStore } from "../src/sync/store.ts";
import type { SaveStatus } from "../src/ui/context.ts";
import { Store } from "../src/ui/store.ts";
import { FakeServer, FakeTime } from "./fake-server.ts";
import { Dice, randomChanges, randomDocument } from "./random.ts";

interface Sitting { saver: Saver; history: History; parts: PartStore; status: Store<SaveStatus>; active: ActiveTime }

async function sit(server: FakeServer, store: MemoryStore, time: FakeTime, events: SaverEvents = {}): Promise<Sitting> {
  const work = server.work();
  const history = new History(work.document);
  const parts = new PartStore(async () => { throw new Error("not asked"); });
  const status = new Store<SaveStatus>({ state: "saved" });
  const active = new ActiveTime(time.now(), true);
  const saver = new Saver({ api: server, store, work, account: "acc_1", history, parts, status, active, clock: time, timers: time, events });
  await saver.start();
  return { saver, history, parts, status, active };
}

const answer = (name: string, before: string | null, after: string | null): Change => ({ op: "set", path: ["answers", name], before, after });

test("an edit is kept, then saved, and the bar says so", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime();
  const { history, status, saver, active } = await sit(server, new MemoryStore(), time);
  assert.equal(status.get().state, "saved");
  active.input(time.now());
  await time.pass(5000);
  active.input(time.now());
  history.commit([answer("a", null, "1")], "test");
  assert.equal(status.get().state, "dirty");
  assert.equal(saver.fragile, true);
  await saver.kept();
  history.commit([answer("a", "1", "2")], "test");
  await time.pass(1000);
  assert.deepEqual([status.get().state, status.get().pending, server.revision], ["saved", 0, 1]);
  assert.equal(statusText(status.get(), time.now() + 3000), "saved 3 s ago");
  assert.equal(server.active_ms, 5000);
  assert.equal(digest(server.document), digest(history.document));
  history.undo();
  history.redo();
  await time.pass(1000);
  assert.equal(server.revision, 1, "what cancels out is not sent");
  assert.equal(status.get().state, "saved");
  saver.stop();
});

test("no network: kept here, sent again in n s; the same key when it was stored but the answer lost", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime();
  const { history, status, saver } = await sit(server, new MemoryStore(), time);
  server.fault = () => "lost_after";
  history.commit([answer("a", null, "1")], "test");
  await time.pass(800);
  assert.equal(status.get().state, "offline");
  assert.equal(statusText(status.get(), time.now()), "kept here, sent again in 1 s");
  history.commit([answer("a", "1", "2")], "test");
  assert.equal(status.get().state, "offline");
  await time.pass(3000);
  server.fault = () => "none";
  await time.pass(60_000);
  assert.deepEqual([status.get().state, server.revision], ["saved", 2]);
  assert.equal(digest(server.document), digest(history.document));
  saver.stop();
});

test("reload, crash and lost answers at random: 150 sittings end with the server equal to the hand", async () => {
  for (let seed = 0; seed < 150; seed += 1) {
    const dice = new Dice(seed);
    const server = new FakeServer(randomDocument(dice, 5)), time = new FakeTime(), store = new MemoryStore();
    const chance = dice.next() * 0.6;
    server.fault = () => (dice.chance(chance) ? dice.pick(["lost_before", "lost_after", "unavailable"] as const) : "none");
    // masks of random digests need no bytes here: pretend the server was shown them
    server.parts.has = () => true;
    let sitting = await sit(server, store, time);
    for (let step = 0; step < 25; step += 1) {
      const kind = dice.int(8);
      if (kind === 0) await time.pass(dice.int(5000));
      else if (kind === 1) sitting.history.undo();
      else if (kind === 2) {
        await sitting.saver.kept();
        const hand = digest(sitting.history.document);
        sitting.saver.stop();
        await time.pass(dice.int(3000));
        sitting = await sit(server, store, time);
        // Laid over at once, except when a lost answer must be asked for first
        await time.pass(200_000);
        assert.equal(sitting.saver.conflict, null, `seed ${seed}`);
        if (!sitting.saver.unsent) assert.equal(digest(sitting.history.document), hand, `after reload, seed ${seed}`);
      } else sitting.history.commit(randomChanges(dice, sitting.history.document, 1 + dice.int(3)), "test");
    }
    server.fault = () => "none";
    await time.pass(200_000);
    assert.equal(sitting.saver.unsent, false, `seed ${seed}`);
    assert.equal(sitting.status.get().state, "saved");
    assert.equal(digest(server.document), digest(sitting.history.document), `seed ${seed}`);
    sitting.saver.stop();
  }
});

test("signed out: says so, keeps, and replays once the same person is back; never for another", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime();
  const { history, status, saver } = await sit(server, new MemoryStore(), time);
  server.signedIn = null;
  history.commit([answer("a", null, "1")], "test");
  await time.pass(1000);
  assert.equal(status.get().state, "signed_out");
  assert.equal(statusText(status.get(), time.now()), "not saved: sign in again; kept here");
  server.signedIn = "acc_2";
  await time.pass(20_000);
  assert.equal(status.get().state, "signed_out");
  assert.ok(status.get().message?.includes("acc_2"));
  assert.equal(server.revision, 0);
  server.signedIn = "acc_1";
  saver.wake();
  await time.pass(10);
  assert.deepEqual([status.get().state, server.revision], ["saved", 1]);
  saver.stop();
});

test("stale revision: rebased when it fits, both sides shown when not, nothing overwritten", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime();
  let shown: { mine: Document; theirs: Document } | null = null;
  const { history, status, saver } = await sit(server, new MemoryStore(), time, {
    conflict: (mine, theirs) => { shown = { mine, theirs: theirs.document }; },
  });
  const elsewhere = (changes: Change[]): void => {
    server.document = apply(server.document, changes);
    server.revision += 1;
  };
  elsewhere([answer("other", null, "x")]);
  history.commit([answer("a", null, "1")], "test");
  await time.pass(1000);
  assert.deepEqual(server.document.answers, { other: "x", a: "1" });
  assert.equal(digest(history.document), digest(server.document));

  elsewhere([answer("a", "1", "theirs"), answer("other", "x", "y")]);
  history.commit([answer("a", "1", "mine")], "test");
  await time.pass(1000);
  assert.equal(status.get().state, "conflict");
  assert.deepEqual(shown!.theirs.answers, { other: "y", a: "theirs" });
  assert.deepEqual(shown!.mine.answers, { other: "y", a: "mine" });
  assert.deepEqual(server.document.answers, { other: "y", a: "theirs" });
  await time.pass(60_000);
  assert.equal(server.document.answers["a"], "theirs", "waits for the person");
  await saver.resolve("mine");
  await time.pass(1000);
  assert.deepEqual(server.document.answers, { other: "y", a: "mine" });
  assert.equal(status.get().state, "saved");

  elsewhere([answer("a", "mine", "theirs again")]);
  history.commit([answer("a", "mine", "mine again")], "test");
  await time.pass(1000);
  await saver.resolve("theirs");
  assert.equal(history.document.answers["a"], "theirs again");
  assert.equal(saver.unsent, false);
  saver.stop();
});

test("a conflict found at reload shows own work as it would be", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime(), store = new MemoryStore();
  const first = await sit(server, store, time);
  first.history.commit([answer("a", null, "mine"), answer("b", null, "kept")], "test");
  await first.saver.kept();
  first.saver.stop();
  server.document = apply(server.document, [answer("a", null, "theirs")]);
  server.revision += 1;
  const second = await sit(server, store, time);
  assert.equal(second.status.get().state, "conflict");
  assert.deepEqual(second.history.document.answers, { a: "mine", b: "kept" });
  await second.saver.resolve("mine");
  await time.pass(100);
  assert.deepEqual(server.document.answers, { a: "mine", b: "kept" });
  second.saver.stop();
});

test("lease lost: everything is parked, then the bench is told", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime(), store = new MemoryStore();
  const parked: (string | null)[] = [];
  const { history, status, saver } = await sit(server, store, time, { lost: (id) => parked.push(id) });
  server.leaseLost = true;
  history.commit([answer("a", null, "1")], "test");
  await time.pass(1000);
  assert.equal(status.get().state, "lost");
  assert.deepEqual(parked, ["pk_1"]);
  assert.deepEqual(await store.waiting("acc_1"), []);
  saver.stop();
});

test("refused: said, kept, not hammered; sent with the edit that mends it", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime();
  const { history, status, saver } = await sit(server, new MemoryStore(), time);
  server.refuse = (body) => (JSON.stringify(body.changes).includes("bad") ? { status: 400, code: "label_not_in_schema" } : null);
  history.commit([answer("a", null, "bad")], "test");
  await time.pass(60_000);
  assert.deepEqual([status.get().state, status.get().message], ["kept", "label_not_in_schema"]);
  assert.equal(server.requests.length, 1);
  history.commit([answer("a", "bad", "good")], "test");
  await time.pass(1000);
  assert.deepEqual([status.get().state, server.document.answers["a"]], ["saved", "good"]);
  saver.stop();
});

test("submission takes what is waiting with it; a refused one saves it all the same", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime();
  const { history, saver } = await sit(server, new MemoryStore(), time);
  server.refuse = (_body, path) => (path.endsWith("submission") && !server.document.answers["b"] ? { status: 400, code: "missing_required" } : null);
  history.commit([answer("a", null, "1")], "test");
  const refused = saver.submit();
  refused.catch(() => undefined);
  await time.pass(10);
  await assert.rejects(refused, (error: unknown) => error instanceof SaveRefused && error.error.code === "missing_required");
  await time.pass(1000);
  assert.deepEqual([server.document.answers["a"], server.submitted], ["1", false]);
  server.refuse = null;
  server.fault = () => "lost_after";
  history.commit([answer("b", null, "2")], "test");
  const accepted = saver.submit();
  await time.pass(500);
  server.fault = () => "none";
  await time.pass(5000);
  assert.equal((await accepted).grace_until, "x");
  assert.deepEqual([server.submitted, server.revision, server.document.answers], [true, 2, { a: "1", b: "2" }]);
  saver.stop();
});

test("mask parts travel once, also over a reload", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime(), store = new MemoryStore();
  const first = await sit(server, store, time);
  const tile = first.parts.putNow(new Uint8Array(TILE_PIXELS).fill(1, 0, 9));
  first.history.commit([{ op: "add", region: { id: "r_aaaaaaaaaaaaaaaa", shape: "mask", label: "x", geometry: { tiles: { "0,0": tile } }, attributes: {}, asset: null, origin: { kind: "drawn" } } }], "stroke");
  await first.saver.kept();
  first.saver.stop();
  const second = await sit(server, store, time);
  await time.pass(1000);
  assert.deepEqual([...server.parts], [tile]);
  assert.equal(second.parts.isPending(tile), false);
  assert.equal(digest(server.document), digest(second.history.document));
  second.saver.stop();
});

test("a store that cannot keep: the bar says why, the save goes through", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime();
  const store = new MemoryStore();
  store.append = async () => { throw new Error("quota"); };
  const { history, status, saver } = await sit(server, store, time);
  history.commit([answer("a", null, "1")], "test");
  await saver.kept();
  assert.ok(status.get().message?.includes("quota"));
  history.commit([answer("b", null, "2")], "test");
  await time.pass(2000);
  assert.deepEqual([server.document.answers, status.get().state, saver.unsent], [{ a: "1", b: "2" }, "saved", false]);
  saver.stop();
});

test("forgetting an account takes its records, batches and drafts and nobody else's", async () => {
  const store = new MemoryStore();
  const record = (account: string) => ({ account, assignment: "as_1", changes: [], parts: {}, active_ms: 0, at: 0 });
  await store.append(record("a"));
  await store.append(record("b"));
  await store.putDraft({ account: "a", assignment: "as_1" }, { x: 1 });
  await store.forget("a");
  assert.deepEqual([await store.waiting("a"), await store.waiting("b"), await store.draft({ account: "a", assignment: "as_1" })], [[], ["as_1"], null]);
});

test("active time: visible, and within 30 s of input", () => {
  const active = new ActiveTime(0, true);
  assert.equal(active.take(10_000), 0);
  active.input(10_000);
  active.input(20_000);
  assert.equal(active.take(25_000), 15_000);
  assert.equal(active.take(100_000), 25_000);
  active.input(200_000);
  active.visible(205_000, false);
  active.visible(210_000, true);
  assert.equal(active.take(220_000), 15_000);
  assert.equal(active.recently(220_000), true);
  assert.equal(active.recently(900_001), false);
});

test("heart-beats only after input in the last ten minutes and when no save renewed the lease", async () => {
  const server = new FakeServer(emptyDocument), time = new FakeTime();
  const { active, saver, status } = await sit(server, new MemoryStore(), time);
  const beats = (): number => server.requests.filter((request) => request.path.endsWith("/heartbeat")).length;
  await time.pass(1_200_000);
  assert.equal(beats(), 0);
  active.input(time.now());
  await time.pass(600_000);
  assert.ok(beats() >= 1 && beats() <= 3, String(beats()));
  assert.equal(status.get().lease_until, "2030-01-01T01:00:00Z");
  const before = beats();
  await time.pass(1_200_000);
  assert.equal(beats(), before);
  saver.stop();
});
