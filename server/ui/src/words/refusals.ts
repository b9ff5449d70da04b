/** Why something was not taken: what it means, and what to do about it. */
export interface Meaning {
  means: string;
  hint: string;
}

/** The reasons of a receipt (`docs/api.md`, Reasons) that a server gives. */
const REASONS: Record<string, Meaning> = {
  too_large: {
    means: 'The event is longer than 64 KiB.',
    hint: 'Send less in its properties: a reference instead of the thing itself.',
  },
  invalid_event: {
    means: 'It is not an object, or one of its fields has the wrong type.',
    hint: 'The detail names the field; the fields are in docs/api.md.',
  },
  missing_name: { means: 'It does not say what happened.', hint: 'Send its name as “event”.' },
  name_too_long: {
    means: 'Its name is longer than 200 characters.',
    hint: 'Put what varies into properties; a name is one of a few.',
  },
  missing_identity: {
    means: 'It does not say who did it.',
    hint: 'Send an “anonymous_id”, a “user_id”, or both.',
  },
  id_too_long: { means: 'An id is longer than 200 characters.', hint: 'Send the id itself, no token and no object.' },
  junk_user_id: {
    means: 'The “user_id” is one that broken code sends for everybody, so it would glue strangers together.',
    hint: 'Call identify only when the app knows who it is.',
  },
  junk_anonymous_id: {
    means: 'The “anonymous_id” is one that broken code sends for everybody, so it would glue strangers together.',
    hint: 'Make a random id once for each device, and keep it.',
  },
  incomplete_identity: {
    means: 'An $identify without a “user_id”, or an $alias without two different ids.',
    hint: 'Send both ids.',
  },
  invalid_timestamp: {
    means: 'Its time is not one that can be read.',
    hint: 'Send RFC 3339, as 2026-11-20T21:13:05Z, or no time at all.',
  },
  too_many_properties: {
    means: 'It has more than 512 properties.',
    hint: 'Look for a list or a map that became properties.',
  },
  too_deep: { means: 'Its properties are nested deeper than 32 levels.', hint: 'Flatten them.' },
  number_out_of_range: { means: 'A number in it is too large for any program.', hint: 'Send it as a text.' },
  erased: {
    means: 'The person was erased after it was captured.',
    hint: 'Nothing is wrong: the device sent what it had kept.',
  },
  dead_letter: {
    means: 'It was accepted, and then the database refused it.',
    hint: '“trailmark deadletter list” shows it, and can try it again.',
  },
};

/** The problems of requests that bring events. */
const CODES: Record<string, Meaning> = {
  invalid_json: { means: 'The body is not JSON.', hint: 'Send UTF-8 JSON; the detail names the place.' },
  invalid_batch: { means: 'The body is JSON, but no batch of events.', hint: 'Send {"batch":[…]}.' },
  invalid_encoding: {
    means: 'The body could not be decompressed.',
    hint: 'It must be complete, and compressed as its Content-Encoding says.',
  },
  invalid_body: { means: 'The body ended too early.', hint: 'Look at proxies between the app and the server.' },
  unsupported_encoding: { means: 'The body is compressed in an unknown way.', hint: 'Use gzip, zstd, br or nothing.' },
  body_too_large: { means: 'The request is too large.', hint: 'Send fewer events at a time.' },
  too_many_events: { means: 'The request has more than 1,000 events.', hint: 'Send fewer events at a time.' },
  body_timeout: { means: 'The body did not come in time.', hint: 'Nothing is lost: SDKs send it again.' },
  missing_key: {
    means: 'It came without a key, so nobody knows which project is meant.',
    hint: 'Give the SDK the write key, or send “Authorization: Bearer tm_pk_…”.',
  },
  unknown_key: {
    means: 'It came with a key that is unknown here, or that was revoked.',
    hint: 'Compare the key in the app with the one of this project.',
  },
  wrong_key_kind: {
    means: 'It came with a secret key.',
    hint: 'Send events with the write key, tm_pk_…. If the secret key is in an app that others have, revoke it.',
  },
  origin_refused: {
    means: 'A web page asked whether it may send, and its origin may not.',
    hint: 'Add the origin to “cors_origins” in the server’s configuration.',
  },
  rate_limited: { means: 'Too many requests at once.', hint: 'Nothing is lost: SDKs wait and send again.' },
  journal_full: {
    means: 'The server’s disk is full of what waits for Postgres.',
    hint: 'SDKs keep their events; look at Postgres and the disk.',
  },
  journal_unavailable: {
    means: 'The server cannot write to its disk.',
    hint: 'SDKs keep their events; look at the disk.',
  },
  overloaded: { means: 'The server had too much to do.', hint: 'Nothing is lost: SDKs send again.' },
  keyring_unavailable: { means: 'The server could not look the key up.', hint: 'Nothing is lost: SDKs send again.' },
  not_found: { means: 'Nothing is at this path.', hint: 'Events are sent to /v1/batch, or /api/events.' },
  method_not_allowed: { means: 'Events are sent with POST.', hint: 'Send the request with POST.' },
};

const at = (known: Record<string, Meaning>, word: string): Meaning =>
  Object.hasOwn(known, word) ? (known[word] as Meaning) : { means: 'It was refused.', hint: '' };

/** What a reason in a receipt means. */
export const ofReason = (reason: string): Meaning => at(REASONS, reason);

/** What a refused request's code means. */
export const ofCode = (code: string): Meaning => at(CODES, code);

/** For the test that compares them with the manual. */
export const KNOWN_REASONS = Object.keys(REASONS);
export const KNOWN_CODES = Object.keys(CODES);
