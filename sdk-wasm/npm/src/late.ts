/** The engine file without an engine: the plain sender alone. */
import type { Start } from './inside';
import { openLock } from './lock';
import { prepare } from './prepare';

export const start: Start = async (client) => {
  prepare(client);
  openLock(client);
  client.plain_ = true;
  void client.send_();
};
