/** The files that a page loads, from the sources as they are. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const npm = new URL('../npm/', import.meta.url);
const { build } = createRequire(new URL('package.json', npm))('esbuild');
const path = (name) => fileURLToPath(new URL(name, npm));

/** What `scripts/wasm.sh` has made, or wherever TRAILMARK_WASM says. */
const wasm = process.env.TRAILMARK_WASM ?? resolve(path('../..'), process.env.CARGO_TARGET_DIR ?? 'target', 'wasm-web');

/** Names that end with `_` are shortened, the same in both files. */
let mangleCache = {};
const shared = { bundle: true, minify: true, write: false, target: 'es2021', mangleProps: /_$/, reserveProps: /^__/ };

async function text(options) {
  const built = await build({ ...shared, mangleCache, ...options });
  mangleCache = built.mangleCache;
  return built.outputFiles[0].text;
}

/** Bodies by path. */
export async function bundles() {
  const stub = await text({ entryPoints: [path('src/stub.ts')], format: 'iife', define: { ENGINE_FILE: '"./engine.js"' } });
  const engine = await text({ entryPoints: [path('src/engine/index.ts')], format: 'esm', alias: { 'trailmark-wasm': `${wasm}/trailmark.js` } });
  return { '/sdk/trailmark.js': stub, '/sdk/engine.js': engine, '/sdk/engine.wasm': readFileSync(`${wasm}/trailmark_bg.wasm`) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, body] of Object.entries(await bundles())) {
    console.log(name, Buffer.byteLength(body), 'bytes,', brotliCompressSync(body).length, 'brotli');
  }
  const driver = await text({ entryPoints: [path('src/engine/index.ts')], format: 'esm', external: ['trailmark-wasm', '../page'] });
  console.log('the driver alone', driver.length, 'bytes,', brotliCompressSync(driver).length, 'brotli');
}
