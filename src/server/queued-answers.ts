import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Closes the answers that still wait behind another one when their connection closes. node:http closes only the one that
 * is being written: whoever waits for the others to close, or to take bytes, would wait for ever. Clients that send
 * several requests without waiting for answers are rare, and need not mean well.
 */
export function withQueuedAnswersClosed(handler: Handler): Handler {
  const unclosed = new WeakMap<Socket, Set<ServerResponse>>();
  const answersOf = (socket: Socket): Set<ServerResponse> => {
    const known = unclosed.get(socket);
    if (known !== undefined) return known;
    const answers = new Set<ServerResponse>();
    unclosed.set(socket, answers);
    // node:http's own listener comes first for some connections and later for others.
    socket.once('close', () => setImmediate(closeAll, answers));
    return answers;
  };
  return (req, res) => {
    // What had arrived before the connection closed is still read from it; nobody waits for the answer.
    if (req.socket.destroyed) return;
    const answers = answersOf(req.socket);
    answers.add(res);
    res.once('close', () => answers.delete(res));
    handler(req, res);
  };
}

function closeAll(answers: Set<ServerResponse>): void {
  for (const res of answers) {
    res.destroy();
    res.emit('close');
  }
}
