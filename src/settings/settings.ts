import type { Secret } from '../core/secret.ts';
import type { ListenAddress } from './address.ts';
import type { BucketTarget, Use } from './buckets.ts';
import type { Endpoint } from './endpoint.ts';
import type { Manifest } from './manifest/model.ts';
import type { Origin } from './origin.ts';

export interface Credentials {
  readonly accessKeyId: Secret;
  readonly secretAccessKey: Secret;
}

/** Objects live behind an S3 API. What is undefined here, the provider's profile fills in (`providers/resolve.ts`). */
export interface S3Storage {
  readonly kind: 's3';
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  readonly region: string | undefined;
  readonly forcePathStyle: boolean | undefined;
  readonly insecure: boolean;
  /** The name of a provider profile. */
  readonly provider: string | undefined;
}

/** No S3 setting at all: each consumer keeps its objects on the local filesystem. */
export interface FilesystemStorage {
  readonly kind: 'filesystem';
  /** One line that says so and why. */
  readonly notice: string;
}

/** What the embedded server needs. */
export interface ServerSettings {
  readonly data: string;
  readonly listen: ListenAddress;
  readonly adminListen: ListenAddress;
  /** Made at the start where they are missing. */
  readonly buckets: readonly string[];
  readonly durability: 'strict' | 'relaxed';
  /** Milliseconds after which a multipart upload that was never completed is aborted. */
  readonly abandonedUploadAge: number;
  /** Milliseconds that a lifecycle rule's day takes; a real one but in tests. */
  readonly lifecycleDay: number;
  /** PEM files for HTTPS. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** How many processes answer requests; `auto`: as the machine has cores, within reason. */
  readonly processes: number | 'auto';
  /** How many requests may be under way at once: of all clients, and of one. */
  readonly maxRequests: number;
  readonly maxRequestsPerClient: number;
  /** Of buckets that are made without saying. */
  readonly objectOwnership: 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';
  /** What users' secrets are encrypted with; undefined: a key of the data directory. */
  readonly serverKey: Secret | undefined;
  readonly domain: string | undefined;
  /** Keys given by settings; undefined: generated once into the data directory. */
  readonly credentials: Credentials | undefined;
  /** Given by settings; undefined: us-east-1. */
  readonly region: string | undefined;
}

/** One effective value, for `config show`. */
export interface EffectiveValue {
  /** The environment variable's name. */
  readonly name: string;
  /** Dotted key of bucketwright.yaml. */
  readonly yaml: string;
  /** For people; a secret's is never the value; undefined: not set. */
  readonly value: string | undefined;
  readonly secret: boolean;
  readonly origin: Origin;
}

/** Everything that was configured, checked, with the origin of each value. */
export interface Settings {
  readonly storage: S3Storage | FilesystemStorage;
  readonly buckets: Readonly<Record<Use, BucketTarget>>;
  /** What bucketwright.yaml wants to exist. */
  readonly manifest: Manifest;
  /** What opens the backup repository. */
  readonly backupPassphrase: Secret | undefined;
  /** Or this: base64 of random bytes. */
  readonly backupKey: Secret | undefined;
  /** Milliseconds that what is backed up is locked against removal. */
  readonly backupLock: number | undefined;
  readonly outageMode: 'fail-closed' | 'buffer';
  readonly retention: {
    /** Milliseconds. */
    readonly logs: number;
    /** Milliseconds. */
    readonly traces: number;
  };
  readonly server: ServerSettings;
  readonly effective: readonly EffectiveValue[];
}
