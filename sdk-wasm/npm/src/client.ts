/** Where tests find a whole client. */
export { createInside } from './complete';
