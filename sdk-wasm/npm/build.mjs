/**
 * Bundles the sources into `dist`: trailmark.js, the script; index.js, the same for npm; engine.js, which both load when the
 * page is idle, with what wasm-bindgen wrote in it. pack.mjs then gives them their places and names.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = import.meta.dirname;
const target = resolve(here, '../..', process.env.CARGO_TARGET_DIR ?? 'target');

/** Names that end with `_` are shortened, the same in all files: the engine file reads what the script made. */
const mangleCache = {};

async function bundle(options) {
  const built = await build({
    absWorkingDir: here,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    mangleProps: /_$/,
    mangleCache,
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
  });
  Object.assign(mangleCache, built.mangleCache);
}

/** The script. Its engine file is beside it; pack.mjs puts a hash into that name. */
export async function buildStub(engineFile = 'engine.js', outfile = 'dist/trailmark.js') {
  await bundle({ entryPoints: ['src/stub.ts'], format: 'iife', tsconfigRaw: {}, outfile, define: { ENGINE_FILE: JSON.stringify(engineFile) } });
  const bytes = gzipSync(readFileSync(resolve(here, outfile)), { level: 9 }).length;
  console.error(`web: ${outfile} has ${bytes} bytes after gzip -9`);
}

/** The engine file: without the engine's driver, where that is not there, it is the plain sender alone. */
export async function buildEngine(outfile = 'dist/engine.js') {
  const driver = 'src/engine/index.ts';
  const entry = existsSync(join(here, driver)) ? driver : 'src/late.ts';
  await bundle({ entryPoints: [entry], outfile, alias: { 'trailmark-wasm': join(target, 'wasm-web/trailmark.js') } });
}

/** In the package the engine stays a file of its own, which the app's bundler finds beside the entry. */
const engineBeside = {
  name: 'engine-beside',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/(engine|late)$/ }, () => ({ path: './engine.js', external: true })),
};

export async function buildNpm(outfile = 'dist/index.js') {
  await bundle({ entryPoints: ['src/index.ts'], outfile, plugins: [engineBeside] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // Names are given by the first bundle: the small one gets the short ones.
  await buildStub();
  await buildNpm();
  await buildEngine();
}
