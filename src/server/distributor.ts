import type { ChildProcess } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { bind, type ListenAddress } from './address.ts';
import type { ToMember } from './messages.ts';

interface Taker {
  readonly child: ChildProcess;
  /** The connection that was sent to it and that it has not confirmed. */
  underWay: Socket | undefined;
}

/** How long a connection waits for a process, in milliseconds. A new process takes about a second. */
const WAIT_MS = 20_000;

/**
 * Takes connections, unread, and hands them to processes in turn. A process gets its next one when it has confirmed the
 * last, so one that is stuck holds up one only. Until then the connection stays open here too: node:cluster, which does
 * the same, forgets those whose process dies before it confirms, and their clients wait for ever.
 */
export class Distributor {
  readonly #server;
  readonly #waiting = new Set<Socket>();
  /** The next in turn comes first. */
  #takers: readonly Taker[] = [];

  /** @param maxConnections that wait here; further ones are dropped */
  constructor(maxConnections: number) {
    this.#server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
      // Whatever breaks it is for the process that reads it to find out.
      socket.on('error', () => {});
      socket.on('timeout', () => socket.destroy());
      socket.on('close', () => this.#waiting.delete(socket));
      this.#wait(socket);
    });
    this.#server.maxConnections = maxConnections;
  }

  /** @throws HostError `address-in-use`, `permission`, `host` */
  listen(at: ListenAddress): Promise<ListenAddress> {
    return bind(this.#server, at);
  }

  /** From now on connections go to this process too. */
  add(child: ChildProcess): void {
    this.#takers = [...this.#takers, { child, underWay: undefined }];
    this.#hand();
  }

  /** The process has the connection. */
  taken(child: ChildProcess): void {
    const taker = this.#takers.find((one) => one.child === child);
    taker?.underWay?.destroy();
    if (taker !== undefined) taker.underWay = undefined;
    this.#hand();
  }

  /**
   * The process is gone. What was on its way to it is reset, for the client to try again: nobody knows whether a part of
   * a request had been read.
   */
  remove(child: ChildProcess): void {
    const gone = this.#takers.find((taker) => taker.child === child);
    this.#takers = this.#takers.filter((taker) => taker !== gone);
    gone?.underWay?.resetAndDestroy();
  }

  /** Takes no further connections. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  #wait(socket: Socket): void {
    socket.setTimeout(WAIT_MS);
    this.#waiting.add(socket);
    this.#hand();
  }

  #hand(): void {
    for (const socket of this.#waiting) {
      const taker = this.#takers.find(({ underWay }) => underWay === undefined);
      if (taker === undefined) return;
      this.#takers = [...this.#takers.filter((one) => one !== taker), taker];
      this.#waiting.delete(socket);
      socket.setTimeout(0);
      taker.underWay = socket;
      const message: ToMember = { type: 'connection' };
      taker.child.send(message, socket, { keepOpen: true }, (error) => {
        if (error === null || taker.underWay !== socket || socket.destroyed) return;
        // It never left, and nothing else will reach that process.
        taker.underWay = undefined;
        this.remove(taker.child);
        this.#wait(socket);
      });
    }
  }
}
