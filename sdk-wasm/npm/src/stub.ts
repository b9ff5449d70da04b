/** The script: the global `trailmark`, and what was called before it came. */
import type { Options } from './api';
import { browserWorld, run } from './browser';
import { createClient } from './client';

declare const ENGINE_FILE: string;

const global = window as any;
const early = global.trailmark;

if (!early?.init) {
  const script = document.currentScript as HTMLScriptElement | null;
  const src = script?.src || location.href;
  const load = async ({ engineUrl = new URL(ENGINE_FILE, src).href }: Options) => import(engineUrl as string);
  const client: any = createClient(() => browserWorld(new URL(src).origin, load), run);
  const { writeKey, options } = script?.dataset || {};
  client.push = ([method, ...args]: [string, ...unknown[]]) => client[method]?.(...args);
  global.trailmark = client;
  if (writeKey) client.init(writeKey, JSON.parse(options || '{}'));
  early?.map?.(client.push);
}
