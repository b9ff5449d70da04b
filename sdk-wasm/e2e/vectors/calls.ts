/** The calls of an app, as a page makes them. */
import type { ExceptionFacts, Properties, RequestFacts } from '../../npm/src/api';
import type { Inside } from '../../npm/src/inside';
import { captureException, captureRequest } from '../../npm/src/page';
import type { Settings, With } from './file';

type Call = (client: Inside, given: With) => void;

const text = (value: unknown): string => (value ?? '') as string;
const object = (value: unknown): Properties | undefined => value as Properties | undefined;

/** By their names in the vectors. Errors and requests are what the engine file's page features make of them. */
export const CALLS: { [verb: string]: Call } = {
  track: (client, { name, properties }) => client.track(text(name), object(properties)),
  screen: (client, { name, properties }) => client.screen(text(name), object(properties)),
  identify: (client, { user_id, set, set_once }) => client.identify(text(user_id), object(set), object(set_once)),
  set: (client, { set, set_once }) => client.setPersonProperties(object(set), object(set_once)),
  alias: (client, { other_user_id }) => client.alias(text(other_user_id)),
  group: (client, { group_type, group_id, properties }) =>
    client.group(text(group_type), text(group_id), object(properties)),
  register: (client, { properties }) => client.register(properties as Properties),
  register_once: (client, { properties }) => client.registerOnce(properties as Properties),
  unregister: (client, { key }) => client.unregister(text(key)),
  set_context: (client, { context }) => client.setContext(context as Properties),
  reset: (client) => client.reset(),
  opt_out: (client) => client.optOut(),
  opt_in: (client) => client.optIn(),
  delete_my_data: (client) => client.deleteMyData(),
  capture_exception: (client, { properties, ...facts }) =>
    captureException(client, facts as unknown as ExceptionFacts, object(properties)),
  capture_request: (client, { properties, ...facts }) =>
    captureRequest(client, facts as unknown as RequestFacts, object(properties)),
};

/** The settings of the core by their names in `Options`: `flush_at` is `flushAt`. */
export function options(settings: Settings): { [name: string]: unknown } {
  const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [camel(name), value]));
}
