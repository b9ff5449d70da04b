import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { filled, SNIPPETS } from './snippets';

/** The manual that has each snippet. */
const MANUALS: Record<string, string> = {
  web: 'docs/web.md',
  npm: 'sdk-wasm/npm/README.md',
  flutter: 'sdk-ffi/flutter/README.md',
  kotlin: 'README.md',
  swift: 'README.md',
  python: 'sdk-ffi/python/README.md',
  rust: 'README.md',
  curl: 'README.md',
};

/** A manual's words, with one address and one key for all that it uses. */
const manual = (path: string) =>
  readFileSync(`../../${path}`, 'utf8')
    .replaceAll('https://analytics.example.com', 'https://t.example')
    .replaceAll('http://127.0.0.1:7700', 'https://t.example')
    .replaceAll('https://…', 'https://t.example');

test('each line of each snippet stands in the manual of its SDK', () => {
  for (const { id, code } of SNIPPETS) {
    const words = manual(MANUALS[id] ?? '');
    for (const line of filled(code, 'https://t.example', null).split('\n')) {
      expect(words, `${id}: ${line}`).toContain(line.trim());
    }
  }
});

test('the address and the key of this very server are filled in, wherever they stand', () => {
  for (const { id, code, install, note = '' } of SNIPPETS) {
    const text = filled(`${install}\n${code}\n${note}`, 'https://t.example', 'tm_pk_abc');
    expect(text, id).toContain('https://t.example');
    expect(text, id).toContain('tm_pk_abc');
    expect(text, id).not.toMatch(/⟨|tm_pk_…/);
  }
});

test('where the key is not known, its place is seen', () => {
  expect(filled(SNIPPETS.at(-1)?.code ?? '', 'https://t.example', null)).toContain('tm_pk_…');
});
