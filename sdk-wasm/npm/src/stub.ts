/** The script: the global `trailmark`, and what was called before it came. */
import { createFront } from './begin';
import { browserWorld } from './browser';

declare const ENGINE_FILE: string;

const early = (self as any).trailmark;

if (!early?.init) {
  const { src, dataset } = document.currentScript as HTMLScriptElement;
  const front: any = createFront((client) => browserWorld(client, src, (url) => import((url || new URL(ENGINE_FILE, src)) as string)));
  (self as any).trailmark = front;
  front.init(dataset.writeKey, JSON.parse(dataset.options || '{}'));
  early?.map(([name, ...args]: [string]) => front[name](...args));
}
