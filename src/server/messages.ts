import type { HostError } from '../core/errors.ts';
import type { Snapshot } from './metrics.ts';
import type { ServerOptions } from './options.ts';

/** What a member needs to serve: the server's options, without what cannot travel to another process. */
export interface MemberOptions
  extends Omit<ServerOptions, 'logger' | 'clock' | 'rootCredentials' | 'serverKey' | 'processes'> {
  readonly processes: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly serverKeyText: string | undefined;
}

/** What the first process says to a member. */
export type ToMember =
  | { readonly type: 'start'; readonly options: MemberOptions }
  | { readonly type: 'snapshot'; readonly id: number }
  /** Comes with the connection, unless its client has left. */
  | { readonly type: 'connection' }
  | { readonly type: 'drain' };

/** What a member says to the first process. */
export type FromMember =
  /** Loaded, waits for `start`. */
  | { readonly type: 'loaded' }
  | { readonly type: 'serving' }
  /** It has the connection that was sent last. */
  | { readonly type: 'taken' }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'snapshot'; readonly id: number; readonly metrics: Snapshot }
  | {
      readonly type: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly fields: object;
      readonly message: string;
    };

/** An error on its way to another process. */
export interface Failure {
  /** Undefined: nothing that was foreseen. */
  readonly code: HostError['code'] | undefined;
  readonly message: string;
  readonly subject: string | undefined;
  readonly advice: string | undefined;
}
