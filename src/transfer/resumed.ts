import { ClientError } from '../client/index.ts';
import { systemErrorCode } from '../core/errors.ts';
import { TransferError } from './errors.ts';
import type { OpenObject, Place } from './place.ts';

/** Times that one object's stream is taken up again where it broke. */
const RESUMPTIONS = 5;

/**
 * Opens an object whose body goes on after a broken connection, from the byte it had reached, as long as it still is the
 * same version.
 * @throws as `Place.open`, and TransferError `vanished`; the body also `changed`
 */
export async function openResumed(place: Place, key: string, signal: AbortSignal): Promise<OpenObject> {
  const first = await openOrVanished(place, key, 0, signal);
  let current = first;
  const close = () => current.close();
  const onAbort = () => void close();
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    ...first,
    body: body(),
    async close() {
      signal.removeEventListener('abort', onAbort);
      await close();
    },
  };

  async function* body(): AsyncGenerator<Uint8Array> {
    let position = 0;
    for (let broken = 0; ; broken += 1) {
      try {
        for await (const chunk of current.body) {
          position += chunk.length;
          yield chunk;
        }
        // A connection that ends early without an error counts as broken; a file that does has been cut.
        if (position >= first.size || place.kind === 'directory') return;
      } catch (error) {
        if (signal.aborted || broken >= RESUMPTIONS || !isBrokenStream(error)) throw error;
      }
      if (broken >= RESUMPTIONS) return;
      await current.close();
      current = await openOrVanished(place, key, position, signal);
      if (current.version !== first.version) throw changed(key);
    }
  }
}

export function changed(key: string): TransferError {
  return new TransferError('changed', `${key} changed while it was read`, {
    subject: key,
    advice: 'run the transfer again when nobody writes to it',
  });
}

async function openOrVanished(place: Place, key: string, start: number, signal: AbortSignal): Promise<OpenObject> {
  try {
    return await place.open(key, { start, signal });
  } catch (error) {
    const gone = (error instanceof ClientError && error.code === 'no-such-key') || systemErrorCode(error) === 'ENOENT';
    if (!gone) throw error;
    throw new TransferError('vanished', `${key} is gone`, {
      subject: key,
      advice: 'it was deleted after the listing; run the transfer again to know that nothing else is missing',
      cause: error,
    });
  }
}

function isBrokenStream(error: unknown): boolean {
  if (error instanceof ClientError) return error.code === 'unreachable';
  const code = systemErrorCode(error);
  const name = error instanceof Error ? error.name : '';
  return (
    (code !== undefined && /^(?:ECONN|EPIPE|ETIMEDOUT|ERR_STREAM_PREMATURE)/.test(code)) || name === 'TimeoutError'
  );
}
