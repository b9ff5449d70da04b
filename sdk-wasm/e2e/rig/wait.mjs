/** Waiting for a condition instead of for a time. */

/**
 * The deadline of everything, ms: two cores with a browser, a server and Postgres on them, twice. Longer than the 30 s that an
 * attempt of the SDK may take. Only failing tests wait this long.
 */
export const PATIENCE = 90_000;

/** The pause between two looks, ms. */
const PAUSE = 50;

/** Resolves after `ms`. Only for lengths of time that a test is about, never to wait for something to happen. */
export const lasting = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Looks again and again until `look` gives something true, and returns that. A look that throws has found nothing.
 * `what` is a text, or a function that tells how far it came.
 */
export async function until(what, look, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  let failure;
  do {
    try {
      const found = await look();
      if (found) return found;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await lasting(PAUSE);
  } while (Date.now() < deadline);
  const told = typeof what === 'function' ? await what() : what;
  throw new Error(`waited ${patience} ms in vain for: ${told}`, { cause: failure });
}
