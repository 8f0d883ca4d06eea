/** Looks at a few of the bytes a server keeps, outside the time that is measured. */
import { listedObjects, listPage, partBytes, smallBytes } from '../plan.ts';
import type { Server } from '../servers/server.ts';
import { checkBody } from './bodies.ts';
import { signer, unsignedPayload } from './sign.ts';
import { type Answer, Connection, type Sink } from './socket.ts';

export const bucket = 'bench';
export const listBucket = 'bench-list';

/** One signed request without a body worth mentioning. @throws {Error} when the connection breaks. */
export async function ask(server: Server, method: string, target: string, sink?: Sink): Promise<Answer> {
  const by = signer(new Date(), unsignedPayload);
  const lines = [`${method} ${target} HTTP/1.1`, ...by.common, `Authorization: ${by.authorize(method, target)}`];
  if (method === 'PUT') lines.push('Content-Length: 0');
  const connection = new Connection(server.port);
  try {
    return await connection.request(`${lines.join('\r\n')}\r\n`, undefined, sink);
  } finally {
    connection.close();
  }
}

const small = 'x'.repeat(smallBytes);

/** Undefined when the object holds the small body, else what was found. */
export async function checkSmall(server: Server, target: string): Promise<string | undefined> {
  const { status, text } = await ask(server, 'GET', target);
  return status === 200 && text === small
    ? undefined
    : `check: GET ${target} answered ${status} and ${text.length} bytes`;
}

export async function checkGone(server: Server, target: string): Promise<string | undefined> {
  const { status } = await ask(server, 'GET', target);
  return status === 404 ? undefined : `check: GET ${target} after its deletion answered ${status}`;
}

/** @param multipart the object was made of the same part over and over */
export async function checkLarge(
  server: Server,
  target: string,
  bytes: number,
  multipart: boolean,
): Promise<string | undefined> {
  const { sink, isWhole } = checkBody(bytes, multipart ? partBytes : bytes);
  const { status, length } = await ask(server, 'GET', target, sink);
  return status === 200 && isWhole()
    ? undefined
    : `check: GET ${target} answered ${status}, ${length} bytes, not those sent`;
}

export const listedKey = (index: number): string => `key-${String(index).padStart(6, '0')}`;

/** The pages of the listing, from its first to its last. */
export const listTargets: readonly string[] = Array.from({ length: listedObjects / listPage }, (_, page) => {
  const after = page === 0 ? '' : `&start-after=${listedKey(page * listPage - 1)}`;
  return `/${listBucket}?list-type=2&max-keys=${listPage}${after}`;
});

/** A page must hold exactly its 1,000 keys, in order. */
export async function checkList(server: Server, page: number): Promise<string | undefined> {
  let text = '';
  const answer = await ask(server, 'GET', listTargets[page] ?? '', (bytes) => {
    text += bytes.toString('utf8');
  });
  const keys = [...(text || answer.text).matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key);
  const right = keys.length === listPage && keys.every((key, at) => key === listedKey(page * listPage + at));
  return right ? undefined : `check: page ${page} of the listing answered ${answer.status} with ${keys.length} keys`;
}
