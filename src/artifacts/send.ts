import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemErrorCode } from '../core/errors.ts';
import { owned } from './borrowed.ts';
import { ArtifactError } from './errors.ts';
import type { Source } from './pack.ts';

export interface SendRequest {
  /** Signed; whoever made it said what may be sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly source: Source;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

const ATTEMPTS = 4;
/** Milliseconds without a byte in either direction. */
const SILENCE = 60_000;

/**
 * Sends content to a signed URL, without keys. A connection that breaks is tried again from the start: one request is all that
 * the URL permits.
 * @throws ArtifactError `ticket` where the URL is refused, `content-changed` where the bytes are not those it names
 */
export async function sendContent(request: SendRequest): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await sendOnce(request);
    if (outcome.kind === 'answer' && outcome.status < 300) return;
    const mayPass = outcome.kind === 'broken' || outcome.status >= 500 || outcome.status === 429;
    if (attempt < ATTEMPTS && mayPass) await sleep(500 * 2 ** attempt, undefined, { signal: request.signal });
    else throw refused(outcome);
  }
}

type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  | { readonly kind: 'broken'; readonly code: string; readonly cause: unknown };

async function sendOnce({ url, headers, source, signal, onProgress }: SendRequest): Promise<Outcome> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  const outgoing = send(url, { method: 'PUT', headers, timeout: SILENCE, ...(signal === undefined ? {} : { signal }) });
  outgoing.on('timeout', () => outgoing.destroy(Object.assign(new Error('silence'), { code: 'ETIMEDOUT' })));
  // Its listeners may be gone when a body that was refused hits the closed connection (client/budget/agents.ts).
  outgoing.once('socket', (socket) => socket.on('error', () => {}));
  // Whoever refuses early answers before all is sent, and then closes: the answer counts, not the broken pipe.
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  const counted = async function* () {
    for await (const chunk of owned(source.read())) {
      yield chunk;
      onProgress?.(chunk.length);
    }
  };
  const sending = pipeline(Readable.from(counted(), { objectMode: false }), outgoing).catch((error: unknown) => {
    outgoing.destroy();
    // The source's own failure is not the connection's.
    if (error instanceof ArtifactError) throw error;
  });
  sending.catch(() => {});
  try {
    const response = await answered;
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) if (text.length < 10_000) text += String(chunk);
    return { kind: 'answer', status: response.statusCode ?? 0, text };
  } catch (cause) {
    await sending;
    signal?.throwIfAborted();
    return { kind: 'broken', code: systemErrorCode(cause) ?? 'unknown', cause };
  }
}

function refused(outcome: Outcome): ArtifactError {
  if (outcome.kind === 'broken') {
    return new ArtifactError('ticket', `the content could not be sent (${outcome.code})`, {
      advice:
        'check that this machine may reach the object storage, and run it again: the URL is valid until it expires',
      cause: outcome.cause,
    });
  }
  const s3Code = /<Code>([A-Za-z0-9]+)<\/Code>/.exec(outcome.text)?.[1] ?? '';
  if (s3Code === 'XAmzContentSHA256Mismatch' || s3Code === 'BadDigest') {
    return new ArtifactError('content-changed', 'the bytes are not those that the signed URL names', {
      advice: 'pack again and ask for a new grant for what is there now',
    });
  }
  return new ArtifactError('ticket', `the signed URL was refused: ${outcome.status} ${s3Code}`.trimEnd(), {
    advice: 'it expired, was changed, or is for other bytes: ask whoever issued it for a new one',
  });
}
