import type { BucketConfiguration } from '../../bucket/index.ts';
import type { Connection, FeatureState } from '../../providers/index.ts';
import { ClientError } from '../errors.ts';
import { type Aspect, aspects } from './aspects.ts';
import { createRequester, type RequestOptionsOfClient } from './request.ts';
import { childOf, childrenOf, readXml, tag, textOf, xmlRequest } from './xml.ts';

/**
 * What configures buckets, as provisioning sees it. Failures are `ClientError`s. Nothing is sent that the provider's
 * profile does not know to be safe: RADOS Gateways read `DELETE /bucket?word` with a word they do not know as the
 * deletion of the bucket, and answer an unknown GET with a listing.
 */
export interface BucketClient {
  /** The buckets of this account. */
  list(): Promise<readonly string[]>;
  /** The same, and whose they are. */
  account(): Promise<Account>;
  /** @throws ClientError `owned-by-other`, `already-owned`, `denied` */
  create(bucket: string, options?: { readonly objectLock?: boolean }): Promise<void>;
  /** @throws ClientError `bucket-not-empty` */
  remove(bucket: string): Promise<void>;
  /** Where the bucket is; the least of rights, so it serves to prove that a key is still let in. */
  location(bucket: string): Promise<string>;
  /** What the profile says of an attribute. */
  supports(attribute: keyof BucketConfiguration): FeatureState;
  /**
   * Undefined: nothing is configured.
   * @throws ClientError `no-such-bucket`, `denied`; `not-implemented` without a request where the profile denies it;
   * `protocol` where the answer is not this configuration's
   */
  read<A extends keyof BucketConfiguration>(bucket: string, attribute: A): Promise<BucketConfiguration[A] | undefined>;
  write<A extends keyof BucketConfiguration>(
    bucket: string,
    attribute: A,
    value: BucketConfiguration[A],
  ): Promise<void>;
  /** Leaves nothing configured. @throws ClientError `not-implemented` for what S3 cannot remove */
  clear(bucket: string, attribute: keyof BucketConfiguration): Promise<void>;
  /** Requests so far, repeats included. */
  readonly requests: number;
  close(): void;
}

/** What a listing of buckets says. */
export interface Account {
  /** On RADOS Gateways the user, all of whose keys reach all its buckets; undefined where none is told. */
  readonly owner: string | undefined;
  readonly buckets: readonly string[];
}

type Readable<T> = Pick<Aspect<T>, 'subresource' | 'missing' | 'breaksConnection' | 'read'>;

export function createBucketClient(connection: Connection, options: RequestOptionsOfClient = {}): BucketClient {
  const requester = createRequester(connection, options);
  const { provider } = connection;
  /** What an `unknown` profile's server proved to know by a true answer: `bucket attribute`. */
  const proven = new Set<string>();

  const supports = (attribute: keyof BucketConfiguration) => provider.features[aspects[attribute].feature];

  function refuseUnsupported(attribute: keyof BucketConfiguration, bucket: string): void {
    if (supports(attribute) !== 'no') return;
    const { feature } = aspects[attribute];
    throw new ClientError('not-implemented', `${bucket}: ${provider.title} has no ${feature}; nothing was sent`, {
      subject: bucket,
      advice: provider.notes[feature],
    });
  }

  async function readAspect<T>(bucket: string, aspect: Readable<T>): Promise<T | undefined> {
    const { subresource, missing, breaksConnection } = aspect;
    const operation = `GET ?${subresource}`;
    const answer = await requester.send({
      operation,
      method: 'GET',
      bucket,
      query: `${subresource}=`,
      expected: missing,
      alone: breaksConnection === true,
    });
    const read = answer.s3Code === undefined ? aspect.read(answer.body) : { value: undefined };
    if (read === undefined) {
      const message = `${operation} ${bucket}: the answer (${answer.status}, ${kindOf(answer.body)}) is no ${subresource} configuration`;
      throw new ClientError('protocol', message, {
        subject: bucket,
        status: answer.status,
        advice: `the server may not know ?${subresource}; S3_PROVIDER names its profile`,
      });
    }
    proven.add(`${bucket} ${subresource}`);
    return read.value;
  }

  /** Where the profile knows nothing, a true answer to GET must come first. */
  async function proveKnown(
    bucket: string,
    attribute: keyof BucketConfiguration,
    aspect: Readable<unknown>,
  ): Promise<void> {
    if (supports(attribute) === 'unknown' && !proven.has(`${bucket} ${aspect.subresource}`)) {
      await readAspect(bucket, aspect);
    }
  }

  async function writeAspect<T>(
    bucket: string,
    attribute: keyof BucketConfiguration,
    aspect: Aspect<T>,
    value: T,
  ): Promise<void> {
    refuseUnsupported(attribute, bucket);
    await proveKnown(bucket, attribute, aspect);
    await requester.send({
      operation: `PUT ?${aspect.subresource}`,
      method: 'PUT',
      bucket,
      query: `${aspect.subresource}=`,
      headers: { 'content-type': attribute === 'policy' ? 'application/json' : 'application/xml' },
      body: aspect.write(value, provider),
    });
  }

  async function account(): Promise<Account> {
    const answer = await requester.send({ operation: 'ListBuckets', method: 'GET', bucket: undefined, query: '' });
    const root = readXml(answer.body);
    if (root?.name !== 'ListAllMyBucketsResult') throw notS3('ListBuckets', connection.endpoint.url);
    const owner = textOf(childOf(root, 'Owner'), 'ID');
    const buckets = childrenOf(childOf(root, 'Buckets') ?? root, 'Bucket').map(
      (bucket) => textOf(bucket, 'Name') ?? '',
    );
    return { owner: owner === '' ? undefined : owner, buckets };
  }

  return {
    account,
    list: async () => (await account()).buckets,

    async create(bucket, { objectLock } = {}) {
      const place = provider.locationConstraint === 'region' && connection.region !== 'us-east-1';
      await requester.send({
        operation: 'CreateBucket',
        method: 'PUT',
        bucket,
        query: '',
        ...(objectLock === true ? { headers: { 'x-amz-bucket-object-lock-enabled': 'true' } } : {}),
        ...(place
          ? { body: xmlRequest('CreateBucketConfiguration', tag('LocationConstraint', connection.region)) }
          : {}),
      });
    },

    async remove(bucket) {
      await requester.send({ operation: 'DeleteBucket', method: 'DELETE', bucket, query: '' });
    },

    async location(bucket) {
      const answer = await requester.send({
        operation: 'GetBucketLocation',
        method: 'GET',
        bucket,
        query: 'location=',
      });
      const root = readXml(answer.body);
      if (root?.name !== 'LocationConstraint') throw notS3('GetBucketLocation', bucket);
      return root.text.trim();
    },

    supports,

    async read(bucket, attribute) {
      refuseUnsupported(attribute, bucket);
      return readAspect(bucket, aspects[attribute]);
    },

    async write(bucket, attribute, value) {
      await writeAspect(bucket, attribute, aspects[attribute], value);
    },

    async clear(bucket, attribute) {
      refuseUnsupported(attribute, bucket);
      const { subresource, removable } = aspects[attribute];
      if (!removable) {
        throw new ClientError('not-implemented', `${bucket}: S3 has no way to remove ${subresource}`, {
          subject: bucket,
        });
      }
      await proveKnown(bucket, attribute, aspects[attribute]);
      await requester.send({
        operation: `DELETE ?${subresource}`,
        method: 'DELETE',
        bucket,
        query: `${subresource}=`,
        expected: aspects[attribute].missing,
      });
    },

    get requests() {
      return requester.sent;
    },
    close: () => requester.close(),
  };
}

/** What an answer is instead, without repeating it. */
function kindOf(body: string): string {
  const root = readXml(body)?.name;
  if (root !== undefined) return root;
  return body.trim() === '' ? 'empty' : 'no XML';
}

function notS3(operation: string, subject: string): ClientError {
  return new ClientError('protocol', `${operation} ${subject}: the answer is not S3's`, {
    subject,
    advice: 'check that S3_ENDPOINT is an S3 API and not a console or a web page',
  });
}
