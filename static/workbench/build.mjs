/**
 * Builds the workbench: writes the indexes of plug-in folders into src/generated/ and bundles the two entry
 * points into static/dist/. Touches nothing else. `--generate` writes the indexes only (types and tests need
 * them); `--dev` keeps names readable and adds inline source maps.
 *
 * An index is written by looking, not by hand, so that a new tool, shape or kind of difference is one new file:
 * every file in the folder that says `export const <name>` is listed, helpers beside it are not.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const src = join(here, "src");
const generated = join(src, "generated");
const dist = join(here, "..", "dist");

/** folder -> [name of the export in each plug-in file, name of the list in the generated index] */
const PLUGINS = {
  tools: ["tool", "tools"],
  shapes: ["shape", "shapes"],
  "arbitration/kinds": ["kind", "kinds"],
  pages: ["page", "pages"],
};

function writeIfChanged(path, text) {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

function indexOf(folder, exported, list) {
  const at = join(src, folder);
  const files = existsSync(at) ? readdirSync(at).filter((name) => name.endsWith(".ts")).sort() : [];
  const wanted = files.filter((name) =>
    new RegExp(`^export const ${exported}\\b`, "m").test(readFileSync(join(at, name), "utf8")));
  const names = wanted.map((name, index) => [`${exported}${index}`, name]);
  const imports = names.map(([id, name]) => `import { ${exported} as ${id} } from "../${folder}/${name}";\n`).join("");
  return `/** Written by build.mjs from the files in src/${folder}; do not edit. */\n${imports}\n`
    + `export const ${list} = [${names.map(([id]) => id).join(", ")}];\n`;
}

/** The bench's style sheet: tokens, then base, then the rest by name; files named pages*.css belong to the pages. */
function sheetOf() {
  const at = join(src, "styles");
  const rank = (name) => (name === "tokens.css" ? 0 : name === "base.css" ? 1 : 2);
  const files = (existsSync(at) ? readdirSync(at) : []).filter((name) => name.endsWith(".css") && !name.startsWith("pages"))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return files.map((name) => `@import "../styles/${name}";\n`).join("");
}

export function generate() {
  mkdirSync(generated, { recursive: true });
  for (const [folder, [exported, list]] of Object.entries(PLUGINS)) {
    writeIfChanged(join(generated, `${list}.ts`), indexOf(folder, exported, list));
  }
  writeIfChanged(join(generated, "bench.css"), sheetOf());
}

async function bundle() {
  const { build } = await import("esbuild");
  const entries = [["bench", join(src, "main.ts")], ["pages", join(src, "pages", "main.ts")]]
    .filter(([name, path]) => existsSync(path) || console.error(`no ${relative(here, path)}: ${name}.js is not built`));
  const dev = process.argv.includes("--dev");
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  const result = await build({
    entryPoints: entries.map(([out, path]) => ({ in: path, out })),
    outdir: dist, bundle: true, format: "esm", target: "es2022", charset: "utf8", legalComments: "none",
    minify: !dev, sourcemap: dev ? "inline" : false, metafile: true, logLevel: "warning",
    loader: { ".svg": "dataurl" },
  });
  for (const path of Object.keys(result.metafile.outputs).sort()) {
    const bytes = readFileSync(path);
    console.log(`${relative(process.cwd(), path)}  ${(bytes.length / 1000).toFixed(1)} kB, `
      + `${(gzipSync(bytes, { level: 9 }).length / 1000).toFixed(1)} kB gzip`);
  }
}

generate();
if (!process.argv.includes("--generate")) await bundle();
