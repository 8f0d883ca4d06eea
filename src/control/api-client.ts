import type { KeyObject } from 'node:crypto';
import type { z } from 'zod';
import {
  type Artifact,
  ArtifactError,
  type ArtifactSource,
  artifactOf,
  type Envelope,
  envelopeSchema,
  type Found,
  formatReference,
  manifestSchema,
  type RangedRead,
  type Reference,
  readRanges,
  requireSignature,
  saveRanges,
  sha256,
} from '../artifacts/index.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { UsageError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { isPrivateHost } from '../settings/index.ts';
import { ApiError } from './api-error.ts';
import { routes } from './openapi.ts';
import { errorSchema, type finishedSchema, type grantBody, type linkBody } from './schemas.ts';
import { signatureHeaders } from './signatures.ts';

/** How a node says who it is. */
export type Identity =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'key'; readonly id: string; readonly key: KeyObject }
  /** For what needs only a ticket. */
  | { readonly kind: 'none' };

export interface ApiClient {
  readonly source: ArtifactSource;
  grantUpload(body: z.input<typeof grantBody>): Promise<z.output<typeof routes.grant.answer>>;
  finishUpload(ticket: string): Promise<z.output<typeof finishedSchema>>;
  /** Answers the whole URL. */
  makeLink(body: z.input<typeof linkBody>): Promise<z.output<typeof routes.link.answer> & { readonly url: string }>;
}

/** Seconds that the signed URLs which we ask for are valid; a longer download asks again. */
const URL_SECONDS = 900;
const LONGEST_POLL_SECONDS = 60;

/**
 * The HTTP API as its callers see it.
 * @throws UsageError for a URL that is none, or that would show tokens to the network
 */
export function createApiClient(address: string, identity: Identity, clock: Clock = systemClock): ApiClient {
  const base = baseOf(address);

  async function send(method: 'GET' | 'POST', path: string, query: string, body?: object, extra?: RequestExtra) {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const url = new URL(`${base}${path}${query}`);
    const signable = { method, authority: url.host, path: url.pathname, query: url.search || '?', body: bytes };
    const headers = {
      ...(bytes === undefined ? {} : { 'content-type': 'application/json' }),
      ...(identity.kind === 'token' ? { authorization: `Bearer ${identity.token.reveal()}` } : {}),
      ...(identity.kind === 'key' ? signatureHeaders(signable, identity.id, identity.key, clock.now()) : {}),
      ...extra?.headers,
    };
    try {
      return await fetch(url, { method, headers, body: bytes ?? null, signal: extra?.signal ?? null });
    } catch (cause) {
      extra?.signal?.throwIfAborted();
      throw new ApiError('unreachable', `${base} cannot be reached`, {
        subject: base,
        advice: 'check --api, that bucketwright artifact serve runs there, and that this machine may reach it',
        cause,
      });
    }
  }

  async function ask<T extends z.ZodType>(answer: T, response: Response): Promise<z.output<T>> {
    const value: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw refusalOf(base, response.status, value);
    const parsed = answer.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new ApiError('protocol', `${base} did not answer as the artifact API does`, {
      subject: base,
      advice: 'check --api: it is the address of bucketwright artifact serve',
      cause: parsed.error,
    });
  }

  const queryOf = (words: Readonly<Record<string, string>>) => `?${new URLSearchParams(words).toString()}`;

  async function resolve(reference: Reference, extra: { wait: number; tag?: string; signal?: AbortSignal }) {
    const words = { reference: formatReference(reference), wait: String(extra.wait), expires: String(URL_SECONDS) };
    const headers: Record<string, string> = extra.tag === undefined ? {} : { 'if-none-match': extra.tag };
    const response = await send('GET', routes.resolve.path, queryOf(words), undefined, {
      headers,
      signal: extra.signal,
    });
    if (response.status === 304) return undefined;
    const answer = await ask(routes.resolve.answer, response);
    return { ...foundOf(reference, answer, response.headers.get('etag') ?? undefined), url: answer.url };
  }

  async function* envelopes(reference: Reference): AsyncGenerator<Envelope> {
    const words = queryOf({ reference: formatReference(reference) });
    const response = await send('GET', routes.statements.path, words);
    for (const each of (await ask(routes.statements.answer, response)).statements) {
      const parsed = envelopeSchema.safeParse(each);
      if (parsed.success) yield parsed.data;
    }
  }

  function ranges({ name, digest, content }: Artifact, signal: AbortSignal | undefined): RangedRead {
    let url: Promise<string> | undefined;
    const fresh = async () => (await resolve({ by: 'digest', name, digest }, { wait: 0 }))?.url ?? '';
    return {
      content,
      subject: content.digest,
      signal,
      mayPass: (error) => error instanceof ApiError && (error.code === 'unreachable' || error.code === 'throttled'),
      open: async (start, end, stopped) => {
        url ??= fresh();
        try {
          return await openUrl(await url, start, end, stopped);
        } catch (error) {
          // It expired: the download took longer than it is valid.
          if (!(error instanceof ApiError) || error.code !== 'denied') throw error;
          url = fresh();
          return openUrl(await url, start, end, stopped);
        }
      },
    };
  }

  const source: ArtifactSource = {
    async resolve(reference, patience) {
      const wait = Math.min(LONGEST_POLL_SECONDS, Math.ceil((patience?.milliseconds ?? 0) / 1000));
      const { tag } = patience?.known ?? {};
      const found = await resolve(reference, {
        wait: tag === undefined ? 0 : wait,
        ...(tag === undefined ? {} : { tag }),
        ...(patience?.signal === undefined ? {} : { signal: patience.signal }),
      });
      if (found !== undefined) return found;
      if (patience === undefined) throw new ApiError('protocol', `${base} answered 304 without being asked`);
      return patience.known;
    },
    read: (artifact, signal) => readRanges(ranges(artifact, signal)),
    save: (artifact, file, { signal, onProgress } = {}) => saveRanges(ranges(artifact, signal), file, onProgress),
    requireSignature: ({ name, digest, ...rest }, keys) =>
      requireSignature(envelopes({ by: 'digest', name, digest }), { name, digest, ...rest }, keys),
  };

  return {
    source,
    async grantUpload(body) {
      return ask(routes.grant.answer, await send('POST', routes.grant.path, '', body));
    },
    async finishUpload(ticket) {
      return ask(routes.finish.answer, await send('POST', routes.finish.path, '', { ticket }));
    },
    async makeLink(body) {
      const link = await ask(routes.link.answer, await send('POST', routes.link.path, '', body));
      return { ...link, url: `${base}${link.path}` };
    },
  };
}

interface RequestExtra {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Without a slash at its end. @throws UsageError */
function baseOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== ''
  ) {
    throw new UsageError(`${JSON.stringify(address.slice(0, 100))} is not the URL of an artifact API`, {
      advice: 'write https://artifacts.example.com, as bucketwright artifact serve is reached',
    });
  }
  if (url.protocol === 'http:' && !isPrivateHost(url.hostname.replace(/^\[|\]$/g, ''))) {
    throw new UsageError(
      `${url.origin} is public and without TLS: tokens and signed URLs would cross the network in plain text`,
      {
        subject: url.origin,
        advice: 'put TLS in front of the API, and write https://',
      },
    );
  }
  return url.href.replace(/\/+$/, '');
}

/**
 * What the API says, checked against the manifest's own bytes: it can say which version a channel means, but not what a version
 * holds.
 * @throws ArtifactError `content-damaged`
 */
function foundOf(reference: Reference, answer: z.output<typeof routes.resolve.answer>, tag: string | undefined): Found {
  const bytes = Buffer.from(answer.manifest, 'base64');
  const digest = sha256(bytes);
  const parsed = manifestSchema.safeParse(JSON.parse(bytes.toString('utf8')));
  const artifact = parsed.success ? artifactOf(parsed.data, digest) : undefined;
  const wrong =
    artifact === undefined ||
    artifact.name !== reference.name ||
    (reference.by === 'version' && artifact.version !== reference.version) ||
    (reference.by === 'digest' && digest !== reference.digest);
  if (!wrong) return { artifact, entry: answer.entry, tag };
  throw new ArtifactError('content-damaged', `the API answered another artifact than ${formatReference(reference)}`, {
    subject: formatReference(reference),
    advice: 'do not use it, and look at who runs this API',
  });
}

async function openUrl(
  url: string,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  let response: Response;
  try {
    response = await fetch(url, { headers: { range: `bytes=${start}-${end}` }, signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachableStorage(cause);
  }
  if (response.status === 206 && response.body !== null) return received(response.body, signal);
  await response.body?.cancel();
  const { status } = response;
  if (status === 403) throw new ApiError('denied', 'the signed URL was refused', { status });
  if (status === 404) {
    throw new ArtifactError('content-missing', 'the content is not there', {
      advice: 'push the same content again under the same version: that puts it back',
    });
  }
  if (status === 416) throw new ArtifactError('content-damaged', 'the content is shorter than its manifest says');
  if (status === 429 || status >= 500)
    throw new ApiError('throttled', `the object storage answered ${status}`, { status });
  throw new ApiError('protocol', `the object storage answered ${status} to a range`, { status });
}

async function* received(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachableStorage(cause);
  }
}

const unreachableStorage = (cause: unknown) =>
  new ApiError('unreachable', 'the object storage cannot be reached', {
    advice: 'check that this machine may reach it: the API hands out its URLs and does not send the bytes itself',
    cause,
  });

function refusalOf(origin: string, status: number, value: unknown): ApiError {
  const { error } = errorSchema.safeParse(value).data ?? {};
  const code = status === 401 || status === 403 ? 'denied' : status === 429 ? 'throttled' : 'refused';
  return new ApiError(code, `${origin}: ${error?.message ?? `it answered ${status}`}`, {
    subject: origin,
    advice: error?.advice,
    status,
  });
}
