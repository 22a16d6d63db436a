/** Verdicts, marks and the arbiter's edit: one difference of every kind is decided in every way it can be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { disputeOf, type Decisions } from "../src/arbitration/kind.ts";
import { takenFrom } from "../src/arbitration/taken.ts";
import { fitting, kindOf, listed, median, needed, preview, undecided, verdictBody } from "../src/arbitration/verdict.ts";
import { canReturn, withMark } from "../src/check/marks.ts";
import { emptyDocument } from "../src/document/changes.ts";
import type { Difference, Document, Json, Region, Work } from "../src/document/types.ts";
import { kinds } from "../src/generated/kinds.ts";

const box = (id: string, x0: number, label = "coin", attributes: { [name: string]: Json } = {}): Region => ({
  id, shape: "box", label, geometry: { x0, y0: 0, x1: x0 + 10, y1: 10 }, attributes, asset: "as_1", origin: { kind: "drawn" },
});
const doc = (regions: Region[], answers: { [name: string]: Json } = {}, unusable: string | null = null): Document =>
  ({ ...emptyDocument, regions: Object.fromEntries(regions.map((region) => [region.id, region])), answers, unusable });

const A = doc([box("r_only_a", 0), box("r_ext_a", 100), box("r_lab_a", 200, "coin", { state: "worn" }), box("r_att_a", 300, "coin", { state: "worn" })], { tone: "pos" });
const B = doc([box("r_ext_b", 105), box("r_lab_b", 200, "brick"), box("r_att_b", 300, "coin", { state: "new" })], { tone: "neg" });
const differences: Difference[] = [
  { id: "d_tone", kind: "answer", class: "C", label: null, regions: { A: null, B: null }, field: "tone", values: { A: "pos", B: "neg" } },
  { id: "d_att", kind: "attribute", class: "B", label: "coin", regions: { A: "r_att_a", B: "r_att_b" }, field: "state", values: { A: "worn", B: "new" } },
  { id: "d_lab", kind: "label", class: "A", label: "coin", regions: { A: "r_lab_a", B: "r_lab_b" }, field: "label", values: { A: "coin", B: "brick" } },
  { id: "d_ext", kind: "extent", class: "A", label: "coin", regions: { A: "r_ext_a", B: "r_ext_b" }, field: "geometry" },
  { id: "d_mis", kind: "missing", class: "A", label: "coin", regions: { A: "r_only_a", B: null } },
];
const agreed = doc([box("r_agreed", 500)]);
const dispute = (more: Partial<Work> = {}) => disputeOf({
  schema: { id: "s", version: 1, document: { format: 1, title: "", controls: [], labels: [] } }, document: agreed, agreed,
  sides: [{ key: "A", document: A }, { key: "B", document: B }], differences, ...more,
} as Work, (label) => label ?? "", (_difference, value) => String(value));

test("every kind of the contract but the reserved one is here, in the order in which answers are applied", () => {
  assert.deepEqual((kinds as { name: string; order: number }[]).map(({ name, order }) => [order, name]).sort(), [
    [0, "usability"], [1, "extra"], [1, "missing"], [2, "extent"], [3, "label"], [4, "attribute"], [5, "answer"],
  ]);
  assert.deepEqual(listed(differences).map(({ kind }) => kind), ["missing", "extent", "label", "attribute", "answer"]);
});

test("offers: a line, what each side says, none only where it means something", () => {
  const one = dispute();
  const by = Object.fromEntries(differences.map((difference) => [difference.kind, difference]));
  const text = (kind: string, side: string): string => kindOf(by[kind]!)!.offer(by[kind]!, side, one).text;
  assert.deepEqual([text("missing", "A"), text("missing", "B")], ["coin", "not there"]);
  assert.deepEqual([text("label", "A"), text("label", "B")], ["coin", "brick"]);
  assert.deepEqual([text("attribute", "A"), text("answer", "B")], ["worn", "neg"]);
  assert.equal(kindOf({ kind: "usability" } as Difference)!.none({} as Difference, one), null);
});

test("taking a side in every question gives that side's answers", () => {
  const one = dispute();
  for (const side of ["A", "B"] as const) {
    const decisions: Decisions = Object.fromEntries(differences.map(({ id }) => [id, { choice: side }]));
    const result = preview(one, decisions);
    assert.equal(undecided(one, decisions).length, 0);
    assert.equal(result.answers["tone"], side === "A" ? "pos" : "neg");
    assert.equal("r_only_a" in result.regions, side === "A");
    assert.ok("r_agreed" in result.regions);
    const objects = Object.values(result.regions);
    assert.equal(objects.length, side === "A" ? 5 : 4);
    assert.deepEqual((result.regions["r_ext_a"]!.geometry as { x0: number }).x0, side === "A" ? 100 : 105);
    const labelled = result.regions["r_lab_a"]!;
    assert.deepEqual([labelled.label, labelled.attributes], side === "A" ? ["coin", { state: "worn" }] : ["brick", {}]);
    assert.equal(result.regions["r_att_a"]!.attributes["state"], side === "A" ? "worn" : "new");
  }
});

test("none of them, and edits", () => {
  const one = dispute();
  const none = preview(one, Object.fromEntries(differences.map(({ id }) => [id, { choice: "none" }])));
  assert.deepEqual(Object.keys(none.regions), ["r_agreed", "r_att_a"]);
  assert.deepEqual([none.regions["r_att_a"]!.attributes, none.answers], [{}, {}]);
  const mine = box("r_mine", 42, "brick");
  const edited = preview(one, {
    d_tone: { choice: "edit", value: "mixed" }, d_att: { choice: "edit", value: "broken" }, d_lab: { choice: "edit", value: "tile", attributes: { state: "x" } },
    d_ext: { choice: "edit", region: { ...mine, shape: "polygon" } }, d_mis: { choice: "edit", region: mine },
  });
  assert.equal(edited.answers["tone"], "mixed");
  assert.equal(edited.regions["r_att_a"]!.attributes["state"], "broken");
  assert.deepEqual([edited.regions["r_lab_a"]!.label, edited.regions["r_lab_a"]!.attributes], ["tile", { state: "x" }]);
  assert.deepEqual([edited.regions["r_ext_a"]!.shape, edited.regions["r_ext_a"]!.label], ["polygon", "coin"]);
  assert.deepEqual(edited.regions["r_mine"], mine);
});

test("undecided questions are left out of the preview; agreed work always stands", () => {
  const one = dispute();
  assert.deepEqual(preview(one, {}), agreed);
  assert.deepEqual(Object.keys(preview(one, { d_mis: { choice: "A" } }).regions), ["r_agreed", "r_only_a"]);
});

test("usability settles the rest: unusable empties, the only one that labelled is taken whole", () => {
  const question: Difference = { id: "d_use", kind: "usability", class: "A", label: null, regions: { A: null, B: null }, field: "unusable", values: { A: null, B: "dark" } };
  const two = dispute({ sides: [{ key: "A", document: A }, { key: "B", document: doc([], {}, "dark") }], differences: [question, ...differences], agreed: doc([]) });
  assert.equal(needed(two, {}).length, 6);
  assert.deepEqual(needed(two, { d_use: { choice: "B" } }).map(({ id }) => id), ["d_use"]);
  const dark = preview(two, { d_use: { choice: "B" } });
  assert.deepEqual([dark.unusable, Object.keys(dark.regions)], ["dark", []]);
  const whole = preview(two, { d_use: { choice: "A" } });
  assert.deepEqual([whole.unusable, Object.keys(whole.regions).length, whole.answers], [null, 4, { tone: "pos" }]);
  assert.equal(preview(two, { d_use: { choice: "edit", value: "cut off" } }).unusable, "cut off");
  assert.deepEqual(verdictBody(two, { d_use: { choice: "B" }, d_ext: { choice: "A" } }, "clear"), { decisions: [{ difference: "d_use", choice: "B" }], reason_code: "clear" });
});

test("a draft that no longer fits is cut to what does", () => {
  const one = dispute();
  assert.deepEqual(fitting(one, { d_mis: { choice: "A" }, d_gone: { choice: "A" }, d_ext: { choice: "C" }, d_lab: { choice: "none" } }), { d_mis: { choice: "A" }, d_lab: { choice: "none" } });
  assert.deepEqual([median([]), median([3]), median([1, 9, 2, 4])], [null, 3, 3]);
});

test("the arbiter's edit is one object", () => {
  const region = box("r_one", 0);
  const start = doc([region, box("r_other", 50)]);
  const moved = { ...region, geometry: { x0: 1, y0: 1, x1: 2, y1: 2 } };
  assert.deepEqual(takenFrom(start, { ...start, regions: { ...start.regions, r_one: moved } }, region), moved);
  assert.deepEqual(takenFrom(start, start, region), region);
  const drawn = box("r_new", 9);
  assert.deepEqual(takenFrom(start, doc([drawn]), region), { ...drawn, id: "r_one" });
  assert.deepEqual(takenFrom(start, doc([region, drawn]), region), { ...drawn, id: "r_one" });
  assert.equal(takenFrom(start, doc([]), region), null);
});

test("marks: one a region, one about the item; a return says the kind and what", () => {
  const marks = withMark(withMark([], ["r_1", "r_2"], "too short", "wrong_extent"), [], "and look again", "");
  assert.deepEqual(marks, [
    { region: "r_1", text: "too short", error_type: "wrong_extent" }, { region: "r_2", text: "too short", error_type: "wrong_extent" }, { text: "and look again" },
  ]);
  assert.ok(canReturn("", marks, "x"));
  assert.ok(canReturn("missed", [], " "));
  assert.equal(canReturn("missed", [], "look"), null);
  assert.equal(canReturn("missed", marks, ""), null);
});
