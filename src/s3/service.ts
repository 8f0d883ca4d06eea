import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Clock } from '../core/clock.ts';
import { after, type Eventually } from '../core/eventually.ts';
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
  type CredentialSource,
} from './access.ts';
import { type Accepted, authenticator, formAuthenticator } from './authenticate.ts';
import { policiesAndAcls } from './authorise.ts';
import type { Limits } from './body.ts';
import type { ObjectOwnership } from './bucket-access.ts';
import { isBucketName } from './bucket-name.ts';
import { RequestContext, type ServiceFacts } from './context.ts';
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
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const anyRegion = options.anyRegion ?? false;
  const authenticate = authenticator(options.credentials, anyRegion ? undefined : region, options.clock);
  const route = compileRoutes(operations);
  const nextId = requestIds();
  const host = hostId();

  const withinQuota = quotaLedger();
  const service: ServiceFacts = {
    storeFor(caller) {
      const quota = caller.kind === 'principal' ? caller.user?.quota : undefined;
      return quota === undefined ? store : withinQuota(store, quota);
    },
    region,
    anyRegion,
    accounts: options.accounts ?? anyAccount,
    objectOwnership: options.objectOwnership ?? 'BucketOwnerEnforced',
    authorise: options.authorise ?? policiesAndAcls,
    signerOfForm: formAuthenticator(options.credentials, anyRegion ? undefined : region),
    now: () => options.clock.now(),
  };

  /** From the request to the reply of its operation. Fails by throwing or by rejecting. */
  const ask = (exchange: Exchange): Eventually<Reply> => {
    const { req, res } = exchange;
    const method = req.method ?? '';
    const target = parseTarget(req.url ?? '', req.headers.host, domain);
    exchange.target = target;
    const { scope, bucket, key, rawQuery } = target;
    const query = parseQuery(rawQuery);
    const match = route(method, scope, query, req.headers);
    if ('operation' in match) exchange.operation = match.operation.name;
    // Nobody signs what anyone may ask: a preflight for a presigned URL carries a signature for another method.
    const open = 'operation' in match && match.operation.access === 'anyone';
    const accepted = open ? unauthenticated(req) : authenticate(req, target, query);
    const { caller, headers, payload, signature } = accepted;
    exchange.caller = caller;
    if ('refuse' in match) throw caller.kind === 'anonymous' ? accessDenied() : refusal(match);
    if (scope !== 'service' && !isBucketName(bucket)) throw invalidBucketName(bucket);
    const connection = req.socket;
    const sourceIp = connection.remoteAddress;
    const facts = { bucket, key, query, headers, sourceIp, connection, now: service.now(), signature };
    const context = new RequestContext(service, caller, facts);
    const request = { method: match.operation.route.method, bucket, key, query, headers, caller };
    const hide = (error: unknown) => hideMissing(error, bucket, context);
    try {
      const owned = checkExpectedOwner(headers['x-amz-expected-bucket-owner'], bucket, context);
      const reply = after(owned, () => match.operation.run(request, { req, res, headers, payload, limits }, context));
      return reply instanceof Promise ? reply.catch(hide) : reply;
    } catch (error) {
      return hide(error);
    }
  };

  const refused = (exchange: Exchange, error: unknown): Reply => {
    const failure = toS3Error(error);
    const { target, requestId, operation, req } = exchange;
    exchange.failure = failure;
    if (failure.status >= 500) {
      logger.error({ err: failure, requestId, operation, bucket: target?.bucket, key: target?.key }, failure.message);
    }
    return errorReply(failure, req.method ?? '', target?.rawPath ?? '', requestId, host);
  };

  const write = (exchange: Exchange, reply: Reply, ids: readonly string[]): Eventually<void> => {
    const { req, res, target, caller } = exchange;
    const observe = (status: number, bytesOut: number) =>
      options.observe({
        operation: exchange.operation,
        status,
        code: exchange.failure?.code,
        milliseconds: performance.now() - exchange.started,
        bytesIn: Number(req.headers['content-length'] ?? 0),
        bytesOut,
        requestId: exchange.requestId,
        bucket: target?.bucket ?? '',
        principal: caller.kind === 'principal' ? caller.principal : undefined,
      });
    if (exchange.failure !== undefined && mustClose(req, limits.drainBytes)) {
      return observe(reply.status, writeLastReply(req, res, reply, ids));
    }
    const broken = (error: unknown): Eventually<void> => {
      const instead = refused(exchange, error);
      const sent = res.headersSent ? 0 : writeReply(res, instead, ids);
      return after(sent, (bytesOut) => observe(instead.status, bytesOut));
    };
    let sent: Eventually<number>;
    try {
      sent = writeReply(res, reply, ids);
    } catch (error) {
      return broken(error);
    }
    if (sent instanceof Promise) return sent.then((bytesOut) => observe(reply.status, bytesOut), broken);
    return observe(reply.status, sent);
  };

  const serve = (req: IncomingMessage, res: ServerResponse): Eventually<void> => {
    const exchange = new Exchange(req, res, nextId());
    let asked: Eventually<Reply>;
    try {
      asked = ask(exchange);
      if (asked instanceof Promise) asked = asked.catch((error: unknown) => refused(exchange, error));
    } catch (error) {
      asked = refused(exchange, error);
    }
    return after(asked, (reply) => {
      const ids = ['x-amz-request-id', exchange.requestId, 'x-amz-id-2', host];
      const { target } = exchange;
      if (req.headers.origin === undefined || target === undefined || target.scope === 'service') {
        return write(exchange, reply, ids);
      }
      const cors = corsHeaders(store, target.bucket, req.method ?? '', req.headers);
      return cors.then((more) => write(exchange, reply, [...ids, ...more]));
    });
  };

  return (req, res) => {
    const failed = (error: unknown) => {
      logger.error({ err: error }, 'an answer could not be written');
      res.destroy();
    };
    try {
      const served = serve(req, res);
      if (served instanceof Promise) served.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}

/** One request and what became known of it, for whatever answers it and for the log. */
class Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly started = performance.now();
  target: Target | undefined;
  operation = 'Unknown';
  caller: Caller = ANYBODY;
  failure: S3Error | undefined;

  constructor(req: IncomingMessage, res: ServerResponse, requestId: string) {
    this.req = req;
    this.res = res;
    this.requestId = requestId;
  }
}

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

const ANYBODY: Caller = { kind: 'anonymous' };

function unauthenticated({ headers }: IncomingMessage): Accepted {
  return { caller: ANYBODY, headers, payload: { sha256: undefined, chunked: undefined } };
}

function refusal(match: { readonly refuse: 'NotImplemented' | 'MethodNotAllowed'; readonly subject: string }): S3Error {
  return new S3Error(match.refuse, undefined, { subject: match.subject, elements: { ResourceType: match.subject } });
}

function invalidBucketName(bucket: string): S3Error {
  return new S3Error('InvalidBucketName', undefined, { elements: { BucketName: bucket } });
}

/** A client that names the owner it expects is refused when the bucket is another's. */
function checkExpectedOwner(
  expected: string | string[] | undefined,
  bucket: string,
  { store }: Context,
): Eventually<void> {
  if (expected === undefined || bucket === '') return;
  return after((store.instant ?? store).bucket(bucket), ({ owner }) => {
    if (owner !== expected) throw accessDenied();
  });
}
