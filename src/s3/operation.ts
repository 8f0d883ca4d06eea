import type { IncomingHttpHeaders } from 'node:http';
import { after, type Eventually } from '../core/eventually.ts';
import type { ObjectStore, OpenObject } from '../store/port.ts';
import { type Accounts, accessDenied, type Caller, type Check } from './access.ts';
import { welcomesAnonymous } from './authorise.ts';
import type { BodyReader, Incoming } from './body.ts';
import type { ObjectOwnership } from './bucket-access.ts';
import type { Query } from './query.ts';
import type { Scope } from './target.ts';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS';

/** What the router looks at. A query or header word is required to be there (`true`) or to have exactly this value. */
export interface Route {
  readonly method: Method;
  readonly scope: Scope;
  readonly query?: Readonly<Record<string, true | string>>;
  readonly header?: Readonly<Record<string, true>>;
  /** Query words that the operation reads when they are there. Any other known word keeps a request away from it. */
  readonly allows?: readonly string[];
}

export interface S3Request {
  readonly method: Method;
  readonly bucket: string;
  readonly key: string;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
}

/** A form's fields by lower-case name, and what they say of the object in the words of a PUT. */
export interface SignedForm {
  readonly fields: ReadonlyMap<string, string>;
  readonly key: string;
  readonly headers: IncomingHttpHeaders;
}

/** What handlers work with besides their input. */
export interface Context {
  readonly store: ObjectStore;
  readonly caller: Caller;
  readonly region: string;
  /** Whether `region` is only what is told: requests for any other are taken too. */
  readonly anyRegion: boolean;
  readonly accounts: Accounts;
  /** Of buckets that are made without saying. */
  readonly objectOwnership: ObjectOwnership;
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /**
   * The same for whoever signed a browser's form.
   * @throws SigV4Error, S3Error `InvalidAccessKeyId`
   */
  signerOf(form: SignedForm): Context;
  /** @throws S3Error `AccessDenied` */
  require(check: Check): Eventually<void>;
  allowed(check: Check): Eventually<boolean>;
}

/** `checks`: all must be allowed before the body is read. `item`: the handler asks for each item by itself. */
export type Access<I> =
  | { readonly by: 'checks'; readonly of: (input: I) => readonly [Check, ...Check[]] }
  | { readonly by: 'item'; readonly why: string }
  | { readonly by: 'anyone'; readonly why: string };

export interface Reply {
  readonly status: number;
  /** Flat: name, value, name, value. Content-Length is added from the body. */
  readonly headers?: readonly string[];
  readonly body?: ReplyBody;
}

export type ReplyBody =
  | string
  | Buffer
  /** Bytes `start` to `end` (exclusive) of an object; whoever writes the reply closes it. */
  | { readonly object: OpenObject; readonly start: number; readonly end: number }
  /** What HEAD would send: only the length. */
  | { readonly length: number };

/** An operation's parts in the order in which they run. */
export interface Spec<I, D, O> {
  /** As AWS names it. */
  readonly name: string;
  readonly route: Route;
  /** Headers and query to the input; the body is not there yet. */
  parse(request: S3Request): I;
  readonly access: Access<I>;
  readonly body: BodyReader<D>;
  handle(input: I, context: Context, body: D): Eventually<O>;
  write(output: O, input: I, context: Context): Reply;
}

/** I, D and O are closed over, so the registry is a plain list and nothing is cast. */
export interface Operation {
  readonly name: string;
  readonly route: Route;
  readonly access: Access<never>['by'];
  readonly body: BodyReader<unknown>['kind'];
  /** Fails by throwing or by rejecting. */
  run(request: S3Request, incoming: Incoming, context: Context): Eventually<Reply>;
}

export function defineOperation<I, D, O>(spec: Spec<I, D, O>): Operation {
  return {
    name: spec.name,
    route: spec.route,
    access: spec.access.by,
    body: spec.body.kind,
    run(request, incoming, context) {
      const input = spec.parse(request);
      return after(permit(spec.access, input, request, context), () =>
        after(spec.body.read(incoming), (body) =>
          after(spec.handle(input, context, body), (output) => spec.write(output, input, context)),
        ),
      );
    },
  };
}

/** @throws S3Error `AccessDenied` */
function permit<I>(access: Access<I>, input: I, { bucket }: S3Request, context: Context): Eventually<void> {
  switch (access.by) {
    case 'checks':
      return requireAll(access.of(input), 0, context);
    case 'item':
      if (context.caller.kind !== 'anonymous') return;
      return welcomesAnonymous(context.store, bucket).then((welcome) => {
        if (!welcome) throw accessDenied();
      });
    case 'anyone':
      return;
  }
}

/** In their order; the first that is denied ends it. */
function requireAll(checks: readonly Check[], from: number, context: Context): Eventually<void> {
  for (const [at, check] of checks.entries()) {
    if (at < from) continue;
    const asked = context.require(check);
    if (asked instanceof Promise) return asked.then(() => requireAll(checks, at + 1, context));
  }
}
