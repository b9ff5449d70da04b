/** The engine file without an engine: the plain sender alone. */
import type { Start } from './inside';
import { prepare } from './prepare';

export const start: Start = (client) => {
  void prepare(client);
  client.plain_ = true;
  void client.send_();
};
