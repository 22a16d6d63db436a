/** Viewport arithmetic: what is under the pointer stays there, nothing can be lost off the pane. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { centred, clampPan, fit, MAX_SCALE, pan, reveal, toImage, toScreen, visible, zoomAt } from "../src/view/viewport.ts";

const image = { width: 1920, height: 1281 }, pane = { width: 1022, height: 700 };

test("a picture fits whole, centred, with a margin", () => {
  const view = fit(image, pane);
  const seen = visible(view, pane);
  assert.ok(seen.x0 < 0 && seen.y0 < 0 && seen.x1 > image.width && seen.y1 > image.height);
  assert.ok(Math.abs(seen.x0 + seen.x1 - image.width) < 1e-9);
  // The tighter side, less 12 px on each end: (1022 - 24) / 1920.
  assert.ok(Math.abs(view.scale - 998 / 1920) < 1e-12);
});

test("screen and image are inverse", () => {
  const view = { scale: 0.37, x: -12.5, y: 40 };
  const p = toScreen(view, toImage(view, { x: 101, y: 7 }));
  assert.ok(Math.abs(p.x - 101) < 1e-9 && Math.abs(p.y - 7) < 1e-9);
});

test("zooming keeps the point under the pointer, while the picture is not at its border", () => {
  let view = fit(image, pane);
  const at = { x: 511, y: 350 };
  const before = toImage(view, at);
  for (let i = 0; i < 12; i++) view = zoomAt(view, at, 1.25, image, pane);
  const after = toImage(view, at);
  assert.ok(Math.abs(before.x - after.x) < 1e-6 && Math.abs(before.y - after.y) < 1e-6);
  for (let i = 0; i < 60; i++) view = zoomAt(view, at, 1.25, image, pane);
  assert.equal(view.scale, MAX_SCALE);
});

test("the picture cannot be pushed out of the pane", () => {
  for (const [dx, dy] of [[1e6, 1e6], [-1e6, -1e6], [1e6, -1e6]] as const) {
    const view = pan(fit(image, pane), dx, dy, image, pane);
    const seen = visible(view, pane);
    assert.ok(seen.x0 < image.width && seen.x1 > 0 && seen.y0 < image.height && seen.y1 > 0);
  }
});

test("a view that needs no clamping is the same object", () => {
  const view = centred(image, pane, 1);
  assert.equal(clampPan(view, image, pane), view);
});

test("revealing moves nothing that is in view and large enough, and shows what is not", () => {
  const view = fit(image, pane);
  assert.equal(reveal(view, { x0: 100, y0: 100, x1: 300, y1: 300 }, image, pane), view);
  const speck = { x0: 1900, y0: 1270, x1: 1904, y1: 1274 };
  const shown = reveal(view, speck, image, pane);
  assert.ok((speck.x1 - speck.x0) * shown.scale >= 12);
  const seen = visible(shown, pane);
  assert.ok(seen.x0 <= speck.x0 && seen.x1 >= speck.x1 && seen.y0 <= speck.y0 && seen.y1 >= speck.y1);
  const far = reveal({ scale: 8, x: 0, y: 0 }, { x0: 0, y0: 0, x1: 1920, y1: 1281 }, image, pane);
  assert.ok(1920 * far.scale <= pane.width);
});
