/**
 * Lays out what build.mjs has built, and the wasm beside it:
 * - `dist/v1`, which the server serves: names with their content's hash, compressed ahead;
 * - `dist/npm`, which is published: plain names, which the bundler of an app finds and renames.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const here = import.meta.dirname;
const dist = join(here, 'dist');
const target = resolve(here, '../..', process.env.CARGO_TARGET_DIR ?? 'target');
const wasm = readFileSync(join(target, 'wasm-web/trailmark_bg.wasm'));

/** Hex digits of a name's hash. Each digit costs the script most of a byte; 24 bits tell a few hundred releases apart. */
const HASH_DIGITS = 6;

forServer();
forNpm();

function forServer() {
  const folder = join(dist, 'v1');
  const wasmName = hashed('engine', 'wasm', wasm);
  const engine = renamed(read('engine.js'), './engine.wasm', `./${wasmName}`);
  const engineName = hashed('engine', 'js', engine);
  const script = renamed(read('trailmark.js'), 'engine.js', engineName);
  const files = { 'trailmark.js': Buffer.from(script), [engineName]: Buffer.from(engine), [wasmName]: wasm };
  mkdirSync(folder, { recursive: true });
  const written = Object.entries(files).flatMap(([name, bytes]) => writeForms(folder, name, bytes));
  // What an earlier build left; the page that says what the folder is for stays.
  const old = readdirSync(folder).filter((name) => !written.includes(name) && name !== 'README.md');
  old.forEach((name) => rmSync(join(folder, name)));
}

/** The file as it is, and compressed as far as it goes: it is done once, and sent for years. */
function writeForms(folder, name, bytes) {
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  const forms = { '': bytes, '.br': brotliCompressSync(bytes, brotli), '.gz': gzipSync(bytes, { level: 9 }) };
  return Object.entries(forms).map(([suffix, form]) => {
    writeFileSync(join(folder, name + suffix), form);
    return name + suffix;
  });
}

function forNpm() {
  const folder = join(dist, 'npm');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ['index.js', 'engine.js']) copyFileSync(join(dist, name), join(folder, name));
  writeFileSync(join(folder, 'engine.wasm'), wasm);
  writeTypes(folder);
}

/** The declarations of the package's entry and of what it names; whether they are right is `npm run check`'s matter. */
function writeTypes(folder) {
  const types = join(dist, 'types');
  rmSync(types, { recursive: true, force: true });
  const flags = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--noCheck', '--rootDir', 'src', '--outDir', types];
  execFileSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), ...flags], { cwd: here, stdio: 'inherit' });
  const waiting = ['index'];
  for (const name of waiting) {
    const imported = /(from\s+|import\()(['"])\.\/([\w/-]+)\2/g;
    const text = readFileSync(join(types, `${name}.d.ts`), 'utf8');
    for (const [, , , other] of text.matchAll(imported)) if (!waiting.includes(other)) waiting.push(other);
    const file = join(folder, `${name}.d.ts`);
    mkdirSync(dirname(file), { recursive: true });
    // With its ending: TypeScript set up as Node is finds nothing without, and says nothing either.
    writeFileSync(file, text.replace(imported, '$1$2./$3.js$2'));
  }
}

function hashed(stem, end, bytes) {
  return `${stem}-${createHash('sha256').update(bytes).digest('hex').slice(0, HASH_DIGITS)}.${end}`;
}

/** The text with its one mention of a file changed. */
function renamed(text, from, to) {
  const mentions = text.split(from).length - 1;
  if (mentions !== 1) throw new Error(`${from} is named ${mentions} times where it should be once`);
  return text.replace(from, to);
}

function read(name) {
  return readFileSync(join(dist, name), 'utf8');
}
