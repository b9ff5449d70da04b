#!/usr/bin/env node
// How much a page loads, and whether it is within the budgets; exits with 1 if it is not.
//   size.mjs [FOLDER]                  the built files of a folder, npm/dist without one
//   size.mjs STUB.js ENGINE.js ENGINE.wasm
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const KB = 1024;
/** The stub, which every page waits for: less than any other analytics script that keeps events. */
const STUB_GZIP = 2 * KB;
/** The engine: its wasm, and the glue that wasm-bindgen makes for it. */
const ENGINE_BROTLI = 35 * KB;
/** All that a page loads when it is idle: the engine, its driver, the calls, the plain sender, and what pages capture. */
const ALL_BROTLI = 47 * KB;

const here = dirname(fileURLToPath(import.meta.url));

/** The stub, the engine's JavaScript and its wasm. */
function files(given) {
  if (given.length === 3) return given;
  const folder = given[0] ?? join(here, 'npm', 'dist');
  const [engine, wasm] = [/^engine-.*\.js$/, /^engine-.*\.wasm$/].map((name) => only(folder, name));
  return [join(folder, 'trailmark.js'), engine, wasm];
}

/** The one file with such a name: of two, one would be left from an earlier build. */
function only(folder, name) {
  const found = readdirSync(folder).filter((file) => name.test(file));
  if (found.length !== 1) throw new Error(`${folder}: ${found.length} files ${name}, not one`);
  return join(folder, found[0]);
}

function sizes(file) {
  const bytes = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return {
    name: basename(file),
    raw: statSync(file).size,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  };
}

function sum(name, rows) {
  const total = (key) => rows.reduce((all, row) => all + row[key], 0);
  return { name, raw: total('raw'), gzip: total('gzip'), brotli: total('brotli') };
}

function line({ name, raw, gzip, brotli }) {
  const cell = (value, width) => String(value).padStart(width);
  return `| ${name.padEnd(28)} | ${cell(raw, 8)} | ${cell(gzip, 8)} | ${cell(brotli, 10)} |`;
}

function within(what, size, budget) {
  const fits = size <= budget;
  console.log(`${what}: ${size} bytes of ${budget}${fits ? '' : ', TOO LARGE'}`);
  return fits;
}

/** What wasm-bindgen made for the engine's class and for starting it: all that the driver takes of it. */
async function glue() {
  const made = join(resolve(here, '..', process.env.CARGO_TARGET_DIR ?? 'target'), 'wasm-web', 'trailmark.js');
  const contents = `export { Engine, initSync } from ${JSON.stringify(made)}`;
  const { build } = createRequire(join(here, 'npm', 'package.json'))('esbuild');
  const built = await build({ stdin: { contents, resolveDir: here }, bundle: true, minify: true, format: 'esm', write: false });
  const folder = mkdtempSync(join(tmpdir(), 'glue-'));
  const file = join(folder, 'glue, in the engine file');
  writeFileSync(file, built.outputFiles[0].contents);
  const row = sizes(file);
  rmSync(folder, { recursive: true });
  return row;
}

const [stub, script, wasm] = files(process.argv.slice(2)).map(sizes);
const bound = await glue();
const engine = sum('engine: wasm and glue', [wasm, bound]);
const idle = sum('all that comes when idle', [script, wasm]);
console.log(line({ name: 'file', raw: 'bytes', gzip: 'gzip -9', brotli: 'brotli 11' }));
console.log('| --- | ---: | ---: | ---: |');
for (const row of [stub, script, bound, wasm, engine, idle]) console.log(line(row));
console.log();
const fits = [
  within('stub, gzip', stub.gzip, STUB_GZIP),
  within('engine (wasm and glue), brotli', engine.brotli, ENGINE_BROTLI),
  within('all that comes when idle, brotli', idle.brotli, ALL_BROTLI),
];
process.exit(fits.every(Boolean) ? 0 : 1);
