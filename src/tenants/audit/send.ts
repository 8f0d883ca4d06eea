import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError, type Exchange, type RawAnswer, type RawRequest } from '../../client/index.ts';

const ATTEMPTS = 4;

/**
 * Sends until there is an answer that means something: throttles and 5xx are waited out, a broken connection is repeated
 * on a fresh one.
 * @throws ClientError `unreachable`
 */
export async function send(exchange: Exchange, request: RawRequest): Promise<RawAnswer> {
  let alone = request.alone === true;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await exchange.send({ ...request, alone });
      const again = answer.status === 429 || (answer.status >= 500 && answer.status !== 501);
      if (!again || attempt >= ATTEMPTS) return answer;
    } catch (cause) {
      if (attempt >= ATTEMPTS) {
        throw new ClientError('unreachable', `${request.method} ${request.bucket ?? '/'}: no answer`, {
          subject: request.bucket,
          cause,
        });
      }
      alone = true;
    }
    await sleep(100 * 3 ** attempt * (0.5 + Math.random() / 2));
  }
}
