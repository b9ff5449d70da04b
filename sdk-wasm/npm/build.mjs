// Builds what pages load (dist/trailmark.js, dist/engine.js) and the npm package (dist/npm). Names that end with `_` are
// shortened, the same in all files that meet in one page. The script knows the engine file's name: `engineFile`.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Most bytes of the script after gzip -9. */
const STUB_BYTES = 2048;

const mangleCache = {};

/** One bundle, with names that all bundles share. */
async function bundle(options) {
  const built = await build({
    bundle: true,
    minify: true,
    target: 'es2022',
    mangleProps: /_$/,
    mangleCache,
    legalComments: 'none',
    ...options,
  });
  Object.assign(mangleCache, built.mangleCache);
}

/** The engine file: without the engine's driver, where that is not there, it is the plain sender alone. */
export async function buildEngine(outfile = 'dist/engine.js') {
  const driver = 'src/engine/index.ts';
  // Whatever is not a plain module (the wasm and its glue) stays beside the file and is found from there.
  const external = ['*.wasm', './trailmark_wasm.js'];
  await bundle({ entryPoints: [existsSync(driver) ? driver : 'src/late.ts'], format: 'esm', outfile, external });
}

/** The script. A hash in the engine file's name costs bytes: not more than 8 characters fit. */
export async function buildStub(engineFile = './engine.js', outfile = 'dist/trailmark.js') {
  const define = { ENGINE_FILE: JSON.stringify(engineFile) };
  await bundle({ entryPoints: ['src/stub.ts'], format: 'iife', outfile, define });
  const bytes = gzipSync(readFileSync(outfile), { level: 9 }).length;
  console.log(`${outfile}: ${bytes} bytes after gzip -9, at most ${STUB_BYTES}`);
  if (bytes > STUB_BYTES) throw new Error(`${outfile} is too large`);
}

export async function buildNpm(outdir = 'dist/npm') {
  await bundle({ entryPoints: ['src/index.ts'], format: 'esm', splitting: true, outdir });
}

if (import.meta.url === `file://${process.argv[1]}`) {
  rmSync('dist', { recursive: true, force: true });
  mkdirSync('dist', { recursive: true });
  // Names are given by the first bundle: the small one gets the short ones.
  await buildStub();
  await buildEngine();
  await buildNpm();
}
