/** The store: real changes only, newest value last. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../src/ui/store.ts";

test("listeners hear of changes and of nothing else", () => {
  const store = new Store({ a: 1, b: "x" });
  const heard: [number, number][] = [];
  const off = store.subscribe((now, before) => heard.push([now.a, before.a]));
  store.set({ a: 1 });
  store.set({ a: 2 });
  store.set({ b: "y" });
  off();
  store.set({ a: 3 });
  assert.deepEqual(heard, [[2, 1], [2, 2]]);
});

test("a listener that sets again does not leave the others behind", () => {
  const store = new Store({ a: 0 });
  const last: number[] = [];
  store.subscribe((now) => {
    if (now.a === 1) store.set({ a: 2 });
  });
  store.subscribe((now) => last.push(now.a));
  store.set({ a: 1 });
  assert.equal(store.get().a, 2);
  assert.equal(last.at(-1), 2);
});
