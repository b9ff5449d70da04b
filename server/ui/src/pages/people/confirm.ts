/** An id that can be typed: what a keyboard has, and not more than a line of it. */
const TYPEABLE = /^[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?$/;

/** What has to be typed before somebody is erased: the id, or where that cannot be typed, a word. */
export const toType = (id: string): string => (TYPEABLE.test(id) ? id : 'erase');

/** The name of the file of an export: the id, of which only what every system takes in a name. */
export const fileName = (id: string): string => `person-${id.replace(/[^\w.@-]+/g, '_').slice(0, 60)}.ndjson`;
