import preact from '@preact/preset-vite';
import { defineConfig } from 'vitest/config';
import { pack } from './pack.ts';

/** Where `npm run dev` finds a server that runs. */
const server = process.env.TRAILMARK_URL ?? 'http://127.0.0.1:7700';

export default defineConfig({
  plugins: [preact(), pack()],
  build: {
    target: 'es2022',
    // Nothing is inlined as `data:`, which the pages' Content-Security-Policy does not allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { assetFileNames: 'assets/[name]-[hash][extname]' } },
  },
  server: { proxy: Object.fromEntries(['/api', '/v1', '/sdk', '/openapi.json'].map((path) => [path, server])) },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
});
