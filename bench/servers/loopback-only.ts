/** Preloaded into fauxqs, which listens on 0.0.0.0 with no setting for it: whatever host is asked for, take loopback. */
import { Server } from 'node:net';

const listen = Server.prototype.listen;

function listenOnLoopback(this: Server, ...args: unknown[]): Server {
  const [first, ...rest] = args;
  if (typeof first === 'object' && first !== null && 'port' in first) {
    return Reflect.apply(listen, this, [{ ...first, host: '127.0.0.1' }, ...rest]);
  }
  const callback = args.find((argument) => typeof argument === 'function');
  return Reflect.apply(listen, this, [{ port: Number(first), host: '127.0.0.1' }, ...(callback ? [callback] : [])]);
}

Object.assign(Server.prototype, { listen: listenOnLoopback });
