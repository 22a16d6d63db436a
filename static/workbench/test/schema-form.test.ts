/** The schema form's pure parts: options as lines, renames as a mapping, what is stored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cleaned, mappingOf, optionsToText, textToOptions } from "../src/pages/schema_document.ts";

test("options survive the way through lines", () => {
  const options = [{ name: "good", title: { en: "Good", zh: "好" }, hotkey: "g" }, { name: "bad", title: "bad" }, { name: "old", title: "Old one", retired: true }];
  const text = optionsToText(options);
  assert.equal(text, "good | Good | 好\nbad\n~old | Old one");
  assert.deepEqual(textToOptions(text, options), options);
  assert.equal(textToOptions("~bad", options)[0]!.retired, true);
  assert.equal(textToOptions("old", options)[0]!.retired, false);
});

test("renames become the mapping, new labels do not", () => {
  const doc = {
    format: 1, title: "T", controls: [{ name: "q", kind: "text", old: true }], constraints: [], guideline: { version: 1, text: "" },
    labels: [
      { name: "thing", was: "object", attributes: [{ name: "depth", was: "deep", kind: "flag" }, { name: "fresh", kind: "flag" }] },
      { name: "same", was: "same", attributes: [] }, { name: "new", hotkey: null, attributes: [] },
    ],
  };
  assert.deepEqual(mappingOf(doc), { labels: { object: "thing" }, attributes: { "object.deep": "depth" } });
  const stored = cleaned(doc);
  assert.deepEqual(stored.labels[2], { name: "new", attributes: [], title: "new" });
  assert.ok(!JSON.stringify(stored).includes('"was"') && !JSON.stringify(stored).includes('"old"'));
});
