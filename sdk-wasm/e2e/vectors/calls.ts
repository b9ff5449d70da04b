/** The calls of an app, as a page makes them. */
import type { ExceptionFacts, Properties, RequestFacts } from '../../npm/src/api';
import { captureException, captureRequest } from '../../npm/src/page';
import type { Client } from './client';
import type { With } from './file';

type Call = (client: Client, given: With) => void;

const text = (value: unknown): string => (value ?? '') as string;
const object = (value: unknown): Properties | undefined => value as Properties | undefined;

/** By their names in the vectors. Errors and requests are what the engine file's page features make of them. */
export const CALLS: { [verb: string]: Call } = {
  track: ({ front }, { name, properties }) => front.track(text(name), object(properties)),
  screen: ({ front }, { name, properties }) => front.screen(text(name), object(properties)),
  identify: ({ front }, { user_id, set, set_once }) => front.identify(text(user_id), object(set), object(set_once)),
  set: ({ front }, { set, set_once }) => front.setPersonProperties(object(set), object(set_once)),
  alias: ({ front }, { other_user_id }) => front.alias(text(other_user_id)),
  group: ({ front }, { group_type, group_id, properties }) =>
    front.group(text(group_type), text(group_id), object(properties)),
  register: ({ front }, { properties }) => front.register(properties as Properties),
  register_once: ({ front }, { properties }) => front.registerOnce(properties as Properties),
  unregister: ({ front }, { key }) => front.unregister(text(key)),
  set_context: ({ front }, { context }) => front.setContext(context as Properties),
  reset: ({ front }) => front.reset(),
  opt_out: ({ front }) => front.optOut(),
  opt_in: ({ front }) => front.optIn(),
  delete_my_data: ({ front }) => front.deleteMyData(),
  capture_exception: ({ inside }, { properties, ...facts }) =>
    captureException(inside, facts as unknown as ExceptionFacts, object(properties)),
  capture_request: ({ inside }, { properties, ...facts }) =>
    captureRequest(inside, facts as unknown as RequestFacts, object(properties)),
};
