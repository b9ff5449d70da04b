import { initSync } from 'trailmark-wasm';

/** A page must not wait for its engine for ever: 30 s, as for any request. */
const TIMEOUT_MS = 30_000;

let loading: Promise<void> | undefined;

/**
 * Loads and compiles the wasm, once for all clients of the page. Rejects for whatever reason it cannot be: a policy
 * without `'wasm-unsafe-eval'`, a blocker, no network, an old browser.
 */
export function load(): Promise<void> {
  loading ??= compile().then((module) => void initSync({ module }));
  return loading;
}

/** Compiles it while it arrives, if the server says what it is. */
async function compile(): Promise<WebAssembly.Module> {
  // Bundlers know this form, and put the file beside the script. The build puts the file's hash into its name.
  const response = await fetch(new URL('./engine.wasm', import.meta.url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`engine.wasm: ${response.status}`);
  const type = response.headers.get('content-type');
  return type === 'application/wasm' ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}
