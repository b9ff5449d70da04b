/** What wasm-bindgen makes of `sdk-wasm/src`. The build puts its file in the place of this name. All times are Unix ms. */
declare module 'trailmark-wasm' {
  /** What the page does for the engine, at once. A method that throws kills the engine. */
  export interface Host {
    /** Fills these bytes, which are the engine's own memory, with unpredictable ones. */
    random(bytes: Uint8Array<ArrayBuffer>): void;
  }

  /** The Rust engine: see `sdk-wasm/src/lib.rs`. */
  export class Engine {
    private constructor();
    /** Throws a string: what is wrong with the settings. */
    static open(host: Host, settings: string, kept: string, now: number): Engine;
    /** What the host is to change since the last call: checkpoint, what goes, new rows, `\x1e` between them. */
    changes(): string | undefined;
    /** The host has written all changes, or why it could not. */
    kept(error: string | undefined): void;
    capture(record: string, now: number): string | undefined;
    refuse(reason: string, now: number): void;
    poll(now: number): number;
    request(): string;
    body(): string;
    answered(id: string, status: number, body: string, retryAfter: string | undefined, date: string | undefined, now: number): void;
    failed(id: string, why: string, timedOut: boolean, now: number): void;
    hurry(): void;
    parting(maxBytes: number): string | undefined;
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

  /** Starts it. */
  export function initSync(options: { module: WebAssembly.Module }): unknown;
}
