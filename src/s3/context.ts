import { after, type Eventually } from '../core/eventually.ts';
import type { ObjectStore } from '../store/port.ts';
import { type Accounts, type Authorise, accessDenied, type Caller, type Check, type RequestFacts } from './access.ts';
import type { FormSigner } from './authenticate.ts';
import type { ObjectOwnership } from './bucket-access.ts';
import type { Context, SignedForm } from './operation.ts';

/** What all requests of a service have in common. */
export interface ServiceFacts {
  /** The store within the caller's quota. */
  storeFor(caller: Caller): ObjectStore;
  readonly region: string;
  readonly anyRegion: boolean;
  readonly accounts: Accounts;
  readonly objectOwnership: ObjectOwnership;
  readonly authorise: Authorise;
  readonly signerOfForm: FormSigner;
  now(): number;
}

/** What handlers work with, of one request. A class, since making a set of functions for each request shows in profiles. */
export class RequestContext implements Context {
  readonly caller: Caller;
  readonly store: ObjectStore;
  readonly #service: ServiceFacts;
  readonly #facts: RequestFacts;

  constructor(service: ServiceFacts, caller: Caller, facts: RequestFacts) {
    this.caller = caller;
    this.store = service.storeFor(caller);
    this.#service = service;
    this.#facts = facts;
  }

  get region(): string {
    return this.#service.region;
  }

  get anyRegion(): boolean {
    return this.#service.anyRegion;
  }

  get accounts(): Accounts {
    return this.#service.accounts;
  }

  get objectOwnership(): ObjectOwnership {
    return this.#service.objectOwnership;
  }

  now(): number {
    return this.#service.now();
  }

  signerOf({ fields, key, headers }: SignedForm): Context {
    const { caller, signature } = this.#service.signerOfForm(fields);
    return new RequestContext(this.#service, caller, { ...this.#facts, key, headers, signature });
  }

  allowed(check: Check): Eventually<boolean> {
    return after(this.#decide(check), (decision) => decision === true);
  }

  require(check: Check): Eventually<void> {
    return after(this.#decide(check), (decision) => {
      if (decision === true) return;
      const denial = accessDenied(decision === false ? undefined : decision.denied);
      return this.#tellMissing(check).then(() => {
        throw denial;
      });
    });
  }

  #decide(check: Check) {
    return this.#service.authorise(this.caller, check, this.store, this.#facts);
  }

  /** Who may list a bucket but not read an object in it is told when there is none, as on S3. */
  async #tellMissing({ action, bucket, key, versionId }: Check): Promise<void> {
    if (bucket === undefined || key === undefined || !READS.has(action)) return;
    if (await this.allowed({ action: 's3:ListBucket', bucket, prefix: key })) {
      await this.store.objectInfo(bucket, key, versionId);
    }
  }
}

const READS: ReadonlySet<string> = new Set(['s3:GetObject', 's3:GetObjectVersion']);
