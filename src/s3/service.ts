import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { GiB, KiB, MiB } from '../core/sizes.ts';
import { StoreError } from '../store/errors.ts';
import type { ObjectStore } from '../store/port.ts';
import {
  type Accounts,
  type Authorise,
  accessDenied,
  anyAccount,
  type Caller,
  type Check,
  type CredentialSource,
  type RequestFacts,
} from './access.ts';
import { type Accepted, authenticator, formAuthenticator } from './authenticate.ts';
import { policiesAndAcls } from './authorise.ts';
import type { Limits } from './body.ts';
import type { ObjectOwnership } from './bucket-access.ts';
import { isBucketName } from './bucket-name.ts';
import { corsHeaders } from './cors.ts';
import { S3Error, toS3Error } from './errors.ts';
import type { Context, Reply } from './operation.ts';
import { operations } from './operations/index.ts';
import { parseQuery } from './query.ts';
import { quotaLedger } from './quota.ts';
import { errorReply, mustClose, writeLastReply, writeReply } from './reply.ts';
import { hostId, requestIds } from './request-id.ts';
import { compileRoutes } from './router.ts';
import { parseTarget, type Target } from './target.ts';

/** One answered request, for metrics and the access log. */
export interface RequestEvent {
  /** AWS's name, or `Unknown` when no operation matched. */
  readonly operation: string;
  readonly status: number;
  /** S3's error code; undefined for success. */
  readonly code: string | undefined;
  readonly milliseconds: number;
  /** Of the bodies, as declared and as sent. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly requestId: string;
  readonly bucket: string;
  readonly principal: string | undefined;
}

export interface S3ServiceOptions {
  readonly store: ObjectStore;
  readonly credentials: CredentialSource;
  readonly region: string;
  /** Takes requests signed for any region, and any location constraint. Default: only `region`. */
  readonly anyRegion?: boolean | undefined;
  /** Virtual-host style: `<bucket>.<domain>`; `<bucket>.localhost` always works. */
  readonly domain?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  observe(event: RequestEvent): void;
  /** Who may be named in ACLs. Default: any id. */
  readonly accounts?: Accounts | undefined;
  /** Of buckets that are made without saying. Default `BucketOwnerEnforced`. */
  readonly objectOwnership?: ObjectOwnership | undefined;
  /** Default: user and bucket policies, ACLs and the public access block. */
  readonly authorise?: Authorise | undefined;
  readonly limits?: Partial<Limits> | undefined;
}

const DEFAULT_LIMITS: Limits = { objectBytes: 5 * GiB, wholeBodyBytes: 64 * KiB, drainBytes: MiB };

/**
 * Everything between a request and the store: match, authenticate, parse, authorise, read, handle, write, observe. Also
 * handles `checkContinue` events: the body is asked for only once the headers were accepted.
 */
export function createS3Service(options: S3ServiceOptions): (req: IncomingMessage, res: ServerResponse) => void {
  const { store, region, domain, logger } = options;
  const authorise = options.authorise ?? policiesAndAcls;
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const anyRegion = options.anyRegion ?? false;
  const authenticate = authenticator(options.credentials, anyRegion ? undefined : region, options.clock);
  const signerOfForm = formAuthenticator(options.credentials, anyRegion ? undefined : region);
  const route = compileRoutes(operations);
  const nextId = requestIds();
  const host = hostId();

  const withinQuota = quotaLedger();
  const storeFor = (caller: Caller): ObjectStore => {
    const quota = caller.kind === 'principal' ? caller.user?.quota : undefined;
    return quota === undefined ? store : withinQuota(store, quota);
  };
  const contextFor = (caller: Caller, facts: RequestFacts): Context => ({
    store: storeFor(caller),
    caller,
    region,
    anyRegion,
    accounts: options.accounts ?? anyAccount,
    objectOwnership: options.objectOwnership ?? 'BucketOwnerEnforced',
    now: () => options.clock.now(),
    signerOf({ fields, key, headers }) {
      const { caller: signer, signature } = signerOfForm(fields);
      return contextFor(signer, { ...facts, key, headers, signature });
    },
    allowed: async (check) => (await authorise(caller, check, store, facts)) === true,
    async require(check) {
      const decision = await authorise(caller, check, store, facts);
      if (decision === true) return;
      await tellMissing(check, this);
      throw accessDenied(decision === false ? undefined : decision.denied);
    },
  });

  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const started = performance.now();
    const requestId = nextId();
    const method = req.method ?? '';
    let target: Target | undefined;
    let operation = 'Unknown';
    let caller: Caller = { kind: 'anonymous' };
    let failure: S3Error | undefined;
    let reply: Reply;
    try {
      target = parseTarget(req.url ?? '', req.headers.host, domain);
      const { scope, bucket, key, rawQuery } = target;
      const query = parseQuery(rawQuery);
      const match = route(method, scope, query, req.headers);
      if ('operation' in match) operation = match.operation.name;
      // Nobody signs what anyone may ask: a preflight for a presigned URL carries a signature for another method.
      const open = 'operation' in match && match.operation.access === 'anyone';
      const accepted = open ? unauthenticated(req) : authenticate(req, target, query);
      caller = accepted.caller;
      if ('refuse' in match) throw caller.kind === 'anonymous' ? accessDenied() : refusal(match);
      if (scope !== 'service' && !isBucketName(bucket)) throw invalidBucketName(bucket);
      const { headers, payload } = accepted;
      const context = contextFor(caller, {
        bucket,
        key,
        query,
        headers,
        sourceIp: req.socket.remoteAddress,
        secure: 'encrypted' in req.socket,
        now: options.clock.now(),
        signature: accepted.signature,
      });
      await checkExpectedOwner(headers['x-amz-expected-bucket-owner'], bucket, context);
      const request = { method: match.operation.route.method, bucket, key, query, headers, caller };
      reply = await match.operation
        .run(request, { req, res, headers, payload, limits }, context)
        .catch((error: unknown) => hideMissing(error, bucket, context));
    } catch (error) {
      failure = toS3Error(error);
      if (failure.status >= 500) {
        logger.error({ err: failure, requestId, operation, bucket: target?.bucket, key: target?.key }, failure.message);
      }
      reply = errorReply(failure, method, target?.rawPath ?? '', requestId, host);
    }
    const ids = ['x-amz-request-id', requestId, 'x-amz-id-2', host];
    if (req.headers.origin !== undefined && target !== undefined && target.scope !== 'service') {
      ids.push(...(await corsHeaders(store, target.bucket, method, req.headers)));
    }
    const last = failure !== undefined && mustClose(req, limits.drainBytes);
    let bytesOut = 0;
    try {
      bytesOut = last ? writeLastReply(req, res, reply, ids) : await writeReply(res, reply, ids);
    } catch (error) {
      failure = toS3Error(error);
      logger.error({ err: failure, requestId, operation, bucket: target?.bucket, key: target?.key }, failure.message);
      reply = errorReply(failure, method, target?.rawPath ?? '', requestId, host);
      if (!res.headersSent) bytesOut = await writeReply(res, reply, ids);
    }
    options.observe({
      operation,
      status: reply.status,
      code: failure?.code,
      milliseconds: performance.now() - started,
      bytesIn: Number(req.headers['content-length'] ?? 0),
      bytesOut,
      requestId,
      bucket: target?.bucket ?? '',
      principal: caller.kind === 'principal' ? caller.principal : undefined,
    });
  };

  return (req, res) => {
    serve(req, res).catch((error: unknown) => {
      logger.error({ err: error }, 'an answer could not be written');
      res.destroy();
    });
  };
}

/** Who may list a bucket but not read an object in it is told when there is none, as on S3. */
async function tellMissing({ action, bucket, key, versionId }: Check, context: Context): Promise<void> {
  if (bucket === undefined || key === undefined || !READS.has(action)) return;
  if (await context.allowed({ action: 's3:ListBucket', bucket, prefix: key })) {
    await context.store.objectInfo(bucket, key, versionId);
  }
}

const READS: ReadonlySet<string> = new Set(['s3:GetObject', 's3:GetObjectVersion']);

/** Who may not list a bucket is not told whether a key is in it (API reference, GetObject). */
async function hideMissing(error: unknown, bucket: string, context: Context): Promise<never> {
  const missing = missingKey(error);
  if (missing === undefined) throw error;
  const { key, bucket: named = bucket } = missing;
  if (await context.allowed({ action: 's3:ListBucket', bucket: named, prefix: key })) throw error;
  throw accessDenied();
}

function missingKey(
  error: unknown,
): { readonly key: string | undefined; readonly bucket?: string | undefined } | undefined {
  if (error instanceof StoreError && error.code === 'no-such-key') return { key: error.key, bucket: error.bucket };
  const { code, elements } = toS3Error(error);
  return code === 'NoSuchKey' || code === 'NoSuchVersion' ? { key: elements.Key } : undefined;
}

function unauthenticated({ headers }: IncomingMessage): Accepted {
  return { caller: { kind: 'anonymous' }, headers, payload: { sha256: undefined, chunked: undefined } };
}

function refusal(match: { readonly refuse: 'NotImplemented' | 'MethodNotAllowed'; readonly subject: string }): S3Error {
  return new S3Error(match.refuse, undefined, { subject: match.subject, elements: { ResourceType: match.subject } });
}

function invalidBucketName(bucket: string): S3Error {
  return new S3Error('InvalidBucketName', undefined, { elements: { BucketName: bucket } });
}

/** A client that names the owner it expects is refused when the bucket is another's. */
async function checkExpectedOwner(
  expected: string | string[] | undefined,
  bucket: string,
  { store }: Context,
): Promise<void> {
  if (expected === undefined || bucket === '') return;
  const { owner } = await store.bucket(bucket);
  if (owner !== expected) throw accessDenied();
}
