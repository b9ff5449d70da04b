/**
 * What the reasons mean for which an event was not stored, and the codes with which a request was refused: the words of
 * docs/api.md.
 */
const MEANINGS: Record<string, string> = {
  opted_out: 'the person has opted out',
  deleted: 'the person asked for their data to be deleted before it was sent',
  before_send: 'a before_send hook dropped it',
  shut_down: 'the client was already shut down',
  queue_full: "the device's queue was full, and this was the oldest event",
  expired: 'it waited longer than the device keeps events',
  storage_lost: "the device's storage lost or corrupted it",
  request_rejected: 'the server refused the request that carried it, for good',
  too_large: 'it is longer than an event may be',
  invalid_event: 'it is no object, or a field has the wrong type',
  missing_name: "the event's name is missing or empty",
  name_too_long: 'the name is too long',
  missing_identity: 'neither anonymous_id nor user_id',
  id_too_long: 'an id is too long',
  junk_user_id: 'the user_id is one that broken code sends for everybody: null, undefined, 0, …',
  junk_anonymous_id: 'the anonymous_id is one that broken code sends for everybody',
  incomplete_identity: 'an $identify without a user_id, or an $alias without two',
  invalid_timestamp: 'the time is not RFC 3339',
  too_many_properties: 'it has more properties than an event may have',
  too_deep: 'its properties are nested too deep',
  number_out_of_range: 'a number that no 64-bit float holds',
  erased: 'the person was erased',
  dead_letter: 'accepted, then refused by the database; trailmark deadletter lists and replays it',
  other: 'reasons beyond the 100 most frequent',
  invalid_json: 'the body is no UTF-8 JSON',
  invalid_batch: 'the body is no {"batch": […]}',
  invalid_encoding: 'the body does not match its Content-Encoding',
  invalid_body: 'the body broke off',
  missing_key: 'without a key',
  unknown_key: 'the key is not known, or was revoked',
  wrong_key_kind: 'a secret key where a write key belongs',
  body_timeout: 'the body came too slowly',
  body_too_large: 'the body is too large: halve the batch',
  too_many_events: 'the batch has too many events: halve it',
  unsupported_encoding: 'an encoding that is not read',
  rate_limited: 'more than the key may send at once; it comes again later',
  journal_full: 'the journal was full, because Postgres was away for long; it comes again later',
  journal_unavailable: 'the journal has failed; it comes again later',
  overloaded: 'the server was short of something; it comes again later',
  keyring_unavailable: 'keys could not be looked up; it comes again later',
};

/** What a reason means; empty if it is a word that the dashboard does not know. */
export const meaning = (reason: string): string => MEANINGS[reason] ?? '';

/** Reasons with their counts, the most frequent first. */
export const byCount = (counts: Record<string, number>): { reason: string; count: number }[] =>
  Object.entries(counts)
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason));
