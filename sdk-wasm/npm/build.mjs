/**
 * Bundles the sources into `dist`: trailmark.js, the script; index.js, the same for npm; engine.js, which both load when the
 * page is idle, with what wasm-bindgen wrote in it. pack.mjs then gives them their places and names.
 */
import { build } from 'esbuild';
import { join, resolve } from 'node:path';

const here = import.meta.dirname;
const target = resolve(here, '../..', process.env.CARGO_TARGET_DIR ?? 'target');

/** Names that end with `_` are shortened, the same in all files: the engine file reads what the script made. */
let mangleCache = {};

async function bundle(entry, file, options) {
  const { mangleCache: longer } = await build({
    absWorkingDir: here,
    entryPoints: [`src/${entry}.ts`],
    outfile: `dist/${file}`,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2021',
    mangleProps: /_$/,
    mangleCache,
    logLevel: 'warning',
    ...options,
  });
  mangleCache = longer;
}

/** The engine stays a file of its own, which the app's bundler finds beside the package's entry. */
const engineBeside = {
  name: 'engine-beside',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/engine$/ }, () => ({ path: './engine.js', external: true })),
};

await bundle('stub', 'trailmark.js', { format: 'iife', define: { ENGINE_FILE: '"engine.js"' } });
await bundle('index', 'index.js', { plugins: [engineBeside] });
await bundle('engine/index', 'engine.js', { alias: { 'trailmark-wasm': join(target, 'wasm-web/trailmark.js') } });
