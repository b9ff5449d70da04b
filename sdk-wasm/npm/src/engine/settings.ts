import type { Inside } from '../inside';

/** What the server is told of who sends. */
const SDK = 'trailmark-web/0.1.0';

/** Most bytes of waiting events: 5 MiB, about 10,000 events. */
const MAX_QUEUE_BYTES = 5 * 1024 * 1024;

/** A tenth of what the browser gives the page's origin is the most we take: the rest is the page's own. */
const QUOTA_SHARE = 0.1;

/** The settings of the engine, as JSON. What the page does not say has the engine's default. */
export async function settings(client: Inside): Promise<string> {
  const { options_: options } = client;
  const { i, t } = client.who_();
  const quota = await navigator.storage?.estimate?.().then(({ quota }) => quota, () => undefined);
  return JSON.stringify({
    write_key: client.key_,
    sdk_name: options.sdkName || SDK,
    flush_at: count(options.flushAt),
    flush_interval_ms: count(options.flushIntervalMs),
    max_batch_events: count(options.maxBatchEvents),
    max_queue_events: count(options.maxQueueEvents),
    max_queue_bytes: queueBytes(options.maxQueueBytes, quota),
    max_age_ms: count(options.maxAgeMs),
    install_id: t ? undefined : i,
  });
}

/** Most bytes of waiting events, for a page that has so much room. */
export function queueBytes(wanted: number | undefined, quota: number | undefined): number {
  return Math.min(count(wanted) ?? MAX_QUEUE_BYTES, Math.floor((quota ?? Infinity) * QUOTA_SHARE));
}

/** A number as the engine reads it; nothing if it is none. */
function count(wanted: number | undefined): number | undefined {
  return Number.isFinite(wanted) ? Math.min(Math.max(0, Math.round(wanted!)), Number.MAX_SAFE_INTEGER) : undefined;
}
