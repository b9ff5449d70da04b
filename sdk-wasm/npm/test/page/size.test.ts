import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** What all page features may add to the engine file: 4.6 KiB, minified and in brotli. */
const BUDGET = 4.6 * 1024;

/** Bytes of a file with this in it, beside what the engine file has anyway. */
async function size(imports: string, calls: string, start: string): Promise<number> {
  const resolveDir = new URL('../../src/page', import.meta.url).pathname;
  const answer = `client.answer_ = (name, args) => ${calls}[name](client, ...args)`;
  const rest = `export const start = (client) => { ${answer}; ${start} }`;
  const { outputFiles } = await build({
    stdin: { contents: imports + rest, resolveDir, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2021',
    mangleProps: /_$/,
    write: false,
  });
  return brotliCompressSync(outputFiles[0]!.contents).length;
}

it('all page features together stay within their budget', async () => {
  const calls = ['captureException', 'captureRequest'];
  const imports = `import { startPage, ${calls.join(', ')} } from './index';`;
  const bytes = (await size(imports, `({ ${calls.join(', ')} })`, 'startPage(client)')) - (await size('', '({})', ''));
  console.log(`page features: ${bytes} bytes of brotli`);
  expect(bytes).toBeLessThanOrEqual(BUDGET);
});
