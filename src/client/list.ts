import { setImmediate } from 'node:timers/promises';
import { encodePart } from '../sigv4/index.ts';
import { ClientError } from './errors.ts';
import type { ListPage } from './list-page.ts';
import type { ListedEntry, ListRequest } from './port.ts';

/** Entries of a page, if nothing else is asked for. */
const WHOLE_PAGE = 1000;

/**
 * All pages of a listing, one after the other. Who asks for whole pages, and for a second entry, is likely to want all of them:
 * then the next page is asked for while this one is read, which is as much work as the server's.
 * @param page gives the answer to a query of ListObjectsV2
 * @throws ClientError what `page` throws; `protocol` where the pages lead nowhere
 */
export async function* listEntries(
  page: (query: string) => Promise<ListPage>,
  { bucket, prefix, delimiter, startAfter, pageSize }: ListRequest,
): AsyncGenerator<ListedEntry> {
  const words: [string, string | undefined][] = [
    ['list-type', '2'],
    ['prefix', prefix],
    ['delimiter', delimiter],
    ['start-after', startAfter],
    ['max-keys', pageSize === undefined ? undefined : String(pageSize)],
  ];
  const first = words
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodePart(value)}`]))
    .join('&');
  const whole = pageSize === undefined || pageSize >= WHOLE_PAGE;
  const after = (token: string) => page(`${first}&continuation-token=${encodePart(token)}`);
  let before: string | undefined;
  for (let answer = page(first); ; ) {
    const { entries, truncated, token } = await answer;
    const further = truncated && token !== before ? token : undefined;
    let following: Promise<ListPage> | undefined;
    let given = 0;
    for (const entry of entries) {
      if (given === 1 && whole && further !== undefined) {
        following = after(further);
        // It is awaited in its turn; until then a failure must not count as unhandled.
        following.catch(() => undefined);
        // The entries that follow let nothing else in: now it is sent.
        await setImmediate();
      }
      yield entry;
      given += 1;
    }
    if (further === undefined) {
      if (!truncated) return;
      throw new ClientError('protocol', `ListObjectsV2 ${bucket}: a truncated page without a new token`, {
        subject: bucket,
      });
    }
    answer = following ?? after(further);
    before = token;
  }
}
