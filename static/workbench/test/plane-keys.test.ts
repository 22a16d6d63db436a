/** Keys: letters by what they say, signs and digits by their place where an input method hides them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chordsOf, composing, isSingle, Keys, showChord, type KeyPress } from "../src/input/keymap.ts";
import { findLabels } from "../src/ui/panels/labels.ts";
import type { Label } from "../src/document/types.ts";

const press = (key: string, code: string, more: Partial<KeyPress> = {}): KeyPress => ({ key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, ...more });

test("plain keys, with modifiers, on other layouts", () => {
  const keys = new Keys();
  assert.equal(keys.actionOf(press("b", "KeyB"), true), "tool.box");
  assert.equal(keys.actionOf(press("B", "KeyB"), true), "tool.box", "caps lock is not shift");
  assert.equal(keys.actionOf(press("z", "KeyZ", { ctrlKey: true }), true), "undo");
  assert.equal(keys.actionOf(press("Z", "KeyZ", { metaKey: true, shiftKey: true }), true), "redo");
  assert.equal(keys.actionOf(press("?", "Slash", { shiftKey: true }), true), "help");
  assert.equal(keys.actionOf(press("a", "KeyQ"), true), "keep", "AZERTY: the letter, not the place");
  assert.equal(keys.actionOf(press("&", "Digit1"), true), "label_1", "AZERTY: digits by their place");
  assert.equal(keys.actionOf(press(")", "Digit0", { shiftKey: true }), true), "one_to_one");
  assert.equal(keys.actionOf(press("я", "KeyZ", { ctrlKey: true }), true), "undo", "Cyrillic: by place");
});

test("under a Chinese input method the place of the key counts", () => {
  const keys = new Keys();
  assert.equal(keys.actionOf(press("Process", "KeyB", { keyCode: 229 }), true), "tool.box");
  assert.equal(keys.actionOf(press("Process", "Digit2", { keyCode: 229 }), true), "label_2");
  assert.equal(keys.actionOf(press("【", "BracketLeft"), true), "previous");
  assert.equal(keys.actionOf(press("？", "Slash", { shiftKey: true }), true), "help");
  assert.equal(composing(press("Process", "KeyB", { keyCode: 229 })), true);
  assert.equal(composing(press("b", "KeyB")), false);
});

test("single keys can be switched off; the others stay", () => {
  const keys = new Keys();
  assert.equal(keys.actionOf(press("b", "KeyB"), false), null);
  assert.equal(keys.actionOf(press("1", "Digit1"), false), null);
  assert.equal(keys.actionOf(press("H", "KeyH", { shiftKey: true }), false), null);
  assert.equal(keys.actionOf(press("Enter", "Enter", { ctrlKey: true }), false), "submit");
  assert.equal(keys.actionOf(press("Delete", "Delete"), false), "remove");
  assert.ok(isSingle("[") && isSingle("shift+d") && !isSingle("ctrl+k") && !isSingle("delete"));
});

test("own keys win over defaults; unknown actions are ignored", () => {
  const keys = new Keys({ "tool.box": "r", nonsense: "q", keep: "ctrl+arrowup" });
  assert.equal(keys.actionOf(press("r", "KeyR"), true), "tool.box");
  assert.equal(keys.actionOf(press("b", "KeyB"), true), null);
  assert.equal(keys.actionOf(press("q", "KeyQ"), true), "smaller");
  const taken = new Keys({ "tool.box": "v" });
  assert.equal(taken.actionOf(press("v", "KeyV"), true), "tool.box");
  assert.deepEqual(chordsOf(press("Enter", "NumpadEnter")), ["enter"]);
  assert.equal(showChord("ctrl+shift+z"), "Ctrl Shift Z");
  assert.equal(showChord("+"), "+");
});

test("labels are found by any title, by parts, prefixes first", () => {
  const label = (name: string, zh: string, en: string): Label => ({ name, title: { zh, en }, color: "#d80010", class: "A" });
  const labels = [label("excavator", "挖掘机", "Excavator"), label("person", "人员入侵", "Intruder"), label("wheel_excavator", "轮式挖掘机", "Wheel excavator")];
  assert.deepEqual(findLabels(labels, "挖掘").map(({ name }) => name), ["excavator", "wheel_excavator"]);
  assert.deepEqual(findLabels(labels, "exca").map(({ name }) => name), ["excavator", "wheel_excavator"]);
  assert.deepEqual(findLabels(labels, "入侵").map(({ name }) => name), ["person"]);
  assert.equal(findLabels(labels, "").length, 3);
  assert.equal(findLabels(labels, "zzz").length, 0);
});
