import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import type { Secret } from '../core/secret.ts';
import { ArtifactError } from './errors.ts';
import { type Artifact, digestSchema } from './model.ts';
import { createOnce, nonce, type Place, parseDocument, proveConditionalWrites, readBytes } from './place.ts';
import { contentMissing, manifestAndBytes } from './read.ts';
import { newTicket, parseTicket, unusable } from './tickets.ts';
import { isThere } from './upload.ts';
import { fileNameOf } from './url.ts';

export const LONGEST_LINK_SECONDS = 604_800;

export interface LinkRequest {
  readonly artifact: Artifact;
  /** 1 to 604,800. */
  readonly expiresSeconds: number;
  /** It can be used once, by whoever comes first. */
  readonly once: boolean;
  /** The only IP address, or network such as `10.0.0.0/8`, from which it can be used. */
  readonly address?: string | undefined;
  /** The name under which a browser saves it. */
  readonly fileName?: string | undefined;
}

const linkSchema = z.object({
  schemaVersion: z.literal(1),
  /** The manifest's. */
  digest: digestSchema,
  fileName: z.string().min(1).max(255),
  once: z.boolean(),
  address: z.string().optional(),
  expires: z.iso.datetime(),
});

/**
 * A link that can be used once, or from one place only. S3's signed URLs know neither, so the HTTP API answers it and sends the
 * bytes itself: no S3 URL ever leaves. That it was used is an object made with `If-None-Match: *`, and so true for all
 * processes of the API, and after a restart.
 * @throws ArtifactError `invalid`, `no-conditional-writes`
 */
export async function makeLink(place: Place, request: LinkRequest): Promise<{ ticket: Secret; expires: string }> {
  const { client, bucket, layout, clock, tenant } = place;
  const { artifact, expiresSeconds, once, address } = request;
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > LONGEST_LINK_SECONDS) {
    throw new ArtifactError('invalid', 'a link is valid for 1 second to 7 days', { advice: 'ask for a shorter time' });
  }
  if (address !== undefined) networkOf(address);
  const expires = new Date(clock.now() + expiresSeconds * 1000).toISOString();
  const fileName = (request.fileName ?? fileNameOf(artifact.content)).slice(0, 255);
  const { secret, id } = newTicket('link', tenant);
  const link = { schemaVersion: 1, digest: artifact.digest, fileName, once, address, expires };
  const bytes = Buffer.from(JSON.stringify(link));
  await client.put({ bucket, key: layout.link(id), body: { bytes }, contentType: 'application/json' });
  if (once) await proveConditionalWrites(place, layout.link(id), bytes);
  return { ticket: secret, expires };
}

/**
 * What a link leads to. One that can be used once is spent by this, whatever becomes of the download.
 * @param from the IP address that asks
 * @throws ArtifactError `ticket`
 */
export async function openLink(
  place: Place,
  text: string,
  from: string,
): Promise<{ readonly artifact: Artifact; readonly fileName: string }> {
  const { id } = parseTicket(text, 'link');
  const { layout, clock } = place;
  const key = layout.link(id);
  const bytes = await readBytes(place, key);
  if (bytes === undefined) throw unusable('link', 'it is unknown, or too old');
  const { digest, fileName, once, address, expires } = parseDocument(linkSchema, bytes, key);
  if (Date.parse(expires) <= clock.now()) throw unusable('link', `it ended at ${expires}`);
  if (address !== undefined && !isWithin(networkOf(address), from)) {
    throw unusable('link', 'it is bound to another address');
  }
  const { artifact } = await manifestAndBytes(place, digest);
  // Before it is spent.
  if (!(await isThere(place, artifact.content))) throw contentMissing(place, artifact.content.digest);
  if (once) {
    const use = { schemaVersion: 1, at: new Date(clock.now()).toISOString(), from, nonce: nonce() };
    const first = await createOnce(place, layout.linkUsed(id), Buffer.from(JSON.stringify(use)));
    if (!first) throw unusable('link', 'it was used already');
  }
  return { artifact, fileName };
}

/** When a link ends, in milliseconds since 1970. @throws ArtifactError `document` */
export const linkEnds = (bytes: Buffer, key: string): number =>
  Date.parse(parseDocument(linkSchema, bytes, key).expires);

/** @throws ArtifactError `invalid` */
export function networkOf(text: string): BlockList {
  const [, address = '', bits] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const whole = family === 6 ? 128 : 32;
  const length = bits === undefined ? whole : Number(bits);
  if (family === 0 || length > whole) {
    throw new ArtifactError('invalid', `${JSON.stringify(text.slice(0, 50))} is no IP address or network`, {
      subject: text.slice(0, 50),
      advice: 'write 10.0.0.7, 10.0.0.0/24 or an IPv6 address',
    });
  }
  const network = new BlockList();
  network.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4');
  return network;
}

/** IPv4 addresses that come over an IPv6 socket count as what they are. */
export function isWithin(network: BlockList, from: string): boolean {
  const address = from.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  const family = isIP(address);
  return family !== 0 && network.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
