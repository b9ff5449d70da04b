/** The network between page and server: an HTTP proxy that a test can let fail, and that remembers what passed. */
import { createServer, request as send } from 'node:http';
import { gunzipSync } from 'node:zlib';

import { freePort } from './ports.mjs';

/** What a browser must be told to let a page read an answer that this proxy makes itself. */
const SHARED = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'retry-after' };

/** Behaviours: what becomes of a batch. Everything else, preflights among it, always passes. */
export const pass = (request) => request.forward();

/** 503 with `Retry-After`. */
export const storm = (seconds) => (request) => request.answer(503, { 'retry-after': `${seconds}` });

/** Never answers; the server never hears of it. */
export const hang = () => {};

/** The server has it and answers, but the answer never arrives. */
export const cut = (request) => request.forward({ silent: true });

/** The first `times` batches are treated so, the others pass. */
export const first = (times, behaviour) => (request) => (times-- > 0 ? behaviour(request) : pass(request));

/**
 * The first `times` attempts of the SDK at each batch are treated so. A browser also tries by itself: what is cut off on a
 * connection that it has used before it sends once more, and the SDK does not hear of it.
 */
export const attempts = (times, behaviour) => (request) => (request.attempt <= times ? behaviour(request) : pass(request));

/** Opens a wire to a server. */
export async function openWire(server) {
  const port = await freePort();
  const wire = { url: `http://127.0.0.1:${port}`, behaviour: pass, batches: [] };
  const sockets = new Set();
  const listener = createServer((incoming, outgoing) => handle(wire, server, incoming, outgoing));
  listener.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  /** Connections are accepted again. */
  wire.join = () => new Promise((resolve) => listener.listen(port, '127.0.0.1', resolve));

  /** All connections break, and new ones are refused. */
  wire.part = () =>
    new Promise((resolve) => {
      listener.close(resolve);
      for (const socket of sockets) socket.destroy();
    });

  /** Breaks what is open, so that nothing waits for an answer that never comes. */
  wire.leave = async () => listener.listening && wire.part();

  /** Events that arrived here, each time they did; of this name, or all. */
  wire.events = (name) => wire.batches.flatMap((batch) => batch.events).filter((one) => !name || one.event === name);

  /**
   * Events that were sent as more than one text: an envelope changed between attempts, or was numbered twice. A copy that
   * the stub sent has no number yet.
   */
  wire.changed = () => {
    const texts = new Map();
    for (const event of wire.events().filter(({ seq }) => seq)) {
      const known = texts.get(event.id) ?? new Set();
      texts.set(event.id, known.add(JSON.stringify(event)));
    }
    return [...texts].filter(([, set]) => set.size > 1).map(([, set]) => [...set]);
  };

  await wire.join();
  return wire;
}

async function handle(wire, server, incoming, outgoing) {
  const body = await bodyOf(incoming).catch(() => undefined);
  if (body === undefined) return;
  const request = {
    attempt: Number(incoming.headers['trailmark-attempt']),
    forward: ({ silent } = {}) => forward(server, incoming, body, outgoing, silent),
    answer: (status, headers) => outgoing.writeHead(status, { ...SHARED, ...headers }).end(),
  };
  if (incoming.method !== 'POST') return pass(request);
  wire.batches.push(recordOf(incoming, body));
  wire.behaviour(request);
}

async function bodyOf(incoming) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A batch as it was sent: when, with which headers, and its events. */
function recordOf(incoming, body) {
  const plain = body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body;
  const envelope = JSON.parse(plain.toString());
  return { at: Date.now(), url: incoming.url, headers: incoming.headers, bytes: body.length, envelope, events: envelope.batch };
}

function forward(server, incoming, body, outgoing, silent) {
  const { method, url: path, headers } = incoming;
  const there = send(server.url + path, { method, headers, agent: false });
  there.on('error', () => outgoing.destroy());
  there.on('response', async (answer) => {
    const reply = await bodyOf(answer).catch(() => undefined);
    if (silent || reply === undefined) return outgoing.destroy();
    const { 'transfer-encoding': _, ...kept } = answer.headers;
    outgoing.writeHead(answer.statusCode, kept).end(reply);
  });
  there.end(body);
}
