/** The engine as wasm-bindgen makes it. Times are Unix ms. */
/** What the engine asks of its surroundings. */
export interface Host {
  random(bytes: Uint8Array): void;
}

/** The calls of the engine that a driver makes. */
export interface Engine {
  changes(): string | undefined;
  kept(error: string | undefined): void;
  capture(record: string, now: number): string | undefined;
  refuse(reason: string, now: number): void;
  poll(now: number): number;
  request(): string;
  body(): string;
  answered(id: string, status: number, body: string, retryAfter: string | undefined, date: string | undefined, now: number): void;
  failed(id: string, why: string, timedOut: boolean, now: number): void;
  hurry(): void;
  flush(now: number): number;
  report(ticket: number): string | undefined;
  stats(): string;
  notices(): string;
  set_opted_out(out: boolean, now: number): void;
  delete_my_data(identity: string, now: number): void;
  install_id(): string;
  close(now: number): void;
  free(): void;
}

/** The class. */
export interface Engines {
  open(host: Host, settings: string, kept: string, now: number): Engine;
}

/** Fetches and starts the wasm. */
export async function load(url: string): Promise<Engines> {
  const glue = (await import(url)) as { default(from: { module_or_path: string }): Promise<unknown>; Engine: Engines };
  await glue.default({ module_or_path: url.replace('.js', '_bg.wasm') });
  return glue.Engine;
}
