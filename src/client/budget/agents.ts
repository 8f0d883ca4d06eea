import type { Agent } from 'node:http';

/**
 * An agent whose sockets never fail unheard. Radosgw answers some refusals twice: Node then takes its own listeners from the
 * socket because of the second answer, and when the body that is still being written hits the closed connection, the error of a
 * request that was answered long ago would end the process. Who waits for a request hears of its failure from the request.
 */
export function heard<T extends Agent>(agent: T): T {
  const connect = agent.createConnection;
  agent.createConnection = function (...args) {
    const socket = connect.apply(this, args);
    socket?.on('error', () => {});
    return socket;
  };
  return agent;
}
