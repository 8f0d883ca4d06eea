import { Socket } from 'node:net';
import { systemClock } from '../core/clock.ts';
import { BucketwrightError, HostError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { Secret } from '../core/secret.ts';
import type { LocalStore } from '../store/index.ts';
import { foldNoAllocations } from './compiler.ts';
import { endAtOnce, endSoon } from './end-at-once.ts';
import { createFront } from './front.ts';
import { type HandedConnections, serveHanded } from './handed-connections.ts';
import { openMeasuredStore } from './measured-store.ts';
import type { Failure, FromMember, MemberOptions, ToMember } from './messages.ts';
import type { ServerMetrics } from './metrics.ts';

/**
 * One of the processes that answer requests (`group.ts` starts it). It ends when the first process says so, and at once
 * when that one is gone: whoever holds the directory next waits for it.
 */
interface Serving {
  readonly connections: HandedConnections;
  /** When all connections are gone. */
  stop(): void;
  readonly store: LocalStore;
  readonly metrics: ServerMetrics;
  readonly drainMs: number;
}

foldNoAllocations();

let serving: Serving | undefined;
let draining = false;

function say(message: FromMember): void {
  if (process.connected) process.send?.(message);
}

const log = (level: keyof Logger) => (fields: object, message: string) => {
  const plain = Object.entries(fields).map(([name, value]: [string, unknown]) => [name, plainly(value)]);
  say({ type: 'log', level, fields: { ...Object.fromEntries(plain), member: process.pid }, message });
};
const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };

/** Errors keep what they say on the way to the first process. */
function plainly(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  const known = value instanceof BucketwrightError ? { code: value.code, subject: value.subject } : {};
  return { type: name, message, ...known, stack, ...(cause !== undefined && { cause: plainly(cause) }) };
}

async function start(member: MemberOptions): Promise<void> {
  const { accessKeyId, secretAccessKey, serverKeyText, processes, ...rest } = member;
  const options = {
    ...rest,
    logger,
    rootCredentials: { accessKeyId, secretAccessKey: new Secret(secretAccessKey) },
    serverKey: serverKeyText === undefined ? undefined : new Secret(serverKeyText),
  };
  const { store, metrics, broken } = await openMeasuredStore(options, { role: 'member', processes });
  // Another member, which opens the index anew, takes its place.
  void broken.then((error) => {
    logger.error({ err: error }, error.message);
    return endSoon();
  });
  const parts = { store, logger, clock: systemClock, metrics, draining: () => draining };
  const { handler, limits, stop } = createFront(options, parts);
  const connections = await serveHanded(handler, limits, options.tls, logger);
  serving = { connections, stop, store, metrics, drainMs: options.drainMs ?? 10_000 };
  say({ type: 'serving' });
}

async function drain(): Promise<void> {
  draining = true;
  await serving?.connections.drain(serving.drainMs);
  serving?.stop();
  await serving?.store.close();
}

function failureOf(error: unknown): Failure {
  const known = error instanceof BucketwrightError ? error : undefined;
  const code = error instanceof HostError ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { code, message, subject: known?.subject, advice: known?.advice };
}

async function receive(message: ToMember, handle: unknown): Promise<void> {
  switch (message.type) {
    case 'start':
      return start(message.options);
    case 'snapshot':
      return say({ type: 'snapshot', id: message.id, metrics: (await serving?.metrics.snapshot()) ?? [] });
    case 'connection':
      if (handle instanceof Socket) serving?.connections.take(handle);
      return say({ type: 'taken' });
    case 'drain':
      await drain();
      process.exit(0);
  }
}

// A terminal's Ctrl-C reaches every process of the group; the first one decides what it means.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', endAtOnce);
process.on('message', (message: ToMember, handle: unknown) => {
  receive(message, handle).catch((error: unknown) => {
    process.send?.({ type: 'failed', failure: failureOf(error) } satisfies FromMember, endAtOnce);
  });
});
say({ type: 'loaded' });
