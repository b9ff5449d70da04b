/** JSON as text: the vectors are about bytes, so nothing is taken apart and written again. */

const TOKEN = /"(?:[^"\\]+|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Without the white space between its tokens. */
export function compact(json: string): string {
  return (json.match(TOKEN) ?? []).join('');
}

/** The members of an object, each value as it is written. */
export function members(json: string): Map<string, string> {
  return new Map(parts(json).map(member));
}

function member(part: string): [key: string, value: string] {
  const key = part.match(TOKEN)?.[0] ?? '';
  return [JSON.parse(key) as string, part.slice(key.length).trimStart().slice(1).trim()];
}

/** What is between the outermost brackets, cut at the outermost commas: members, or elements. */
export function parts(json: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (const token of json.matchAll(TOKEN)) {
    const mark = token[0];
    if (mark === ']' || mark === '}') depth--;
    if ((mark === ',' && depth === 1) || ((mark === ']' || mark === '}') && depth === 0)) {
      found.push(json.slice(start, token.index).trim());
    }
    if ((mark === ',' && depth === 1) || ((mark === '[' || mark === '{') && depth++ === 0)) {
      start = token.index + mark.length;
    }
  }
  return found.filter((part) => part !== '');
}

/** The value of a text, each `{"$repeat":["x",9000]}` in it replaced by the string that it stands for. */
export function read(json: string): unknown {
  return JSON.parse(json, (_, value: unknown) => repeated(value) ?? value);
}

function repeated(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('$repeat' in value)) return undefined;
  const [text, times] = value.$repeat as [string, number];
  return text.repeat(times);
}

/** An outcome in a form in which two that mean the same bytes are the same: the parts of a request's body are joined. */
export function outcome(json: string): string {
  const send = json.trimStart().startsWith('{') ? members(json).get('send') : undefined;
  if (send === undefined) return compact(json);
  const request = members(send);
  const body = (read(request.get('body') ?? '[]') as string[]).join('');
  request.delete('body');
  const head = [...request].map(([key, value]) => `"${key}":${compact(value)}`);
  return `{"send":{${head.join(',')}}}\n${body}`;
}

/**
 * An event of the stub as it is stored: what PostgreSQL refuses, NUL and halves of surrogate pairs, the server replaces
 * (`protocol/src/json/repair.rs`) where the engine does. `JSON.stringify` writes whole pairs as they are, so each surrogate
 * that is escaped is a half.
 */
export function repaired(json: string): string {
  return json.replace(/\\(u0000|ud[89a-f]..|.)/g, (escape, what: string) => (what.length > 1 ? '\\ufffd' : escape));
}

/** A body with the reasons of what was lost in the order of the alphabet: the stub has them as they came. */
export function ordered(body: string): string {
  return body.replace(/"dropped":(\{[^{}]*\})\}\}$/, (_, dropped: string) => {
    const pairs = Object.entries(JSON.parse(dropped) as object).sort(([a], [b]) => (a < b ? -1 : 1));
    return `"dropped":${JSON.stringify(Object.fromEntries(pairs))}}}`;
  });
}
