import { ArtifactError } from './errors.ts';

/** `sha256:` and 64 hex digits, as OCI writes digests. */
export type Digest = `sha256:${string}`;

/** Names an artifact in one of three ways. */
export type Reference =
  | { readonly by: 'version'; readonly name: string; readonly version: string }
  | { readonly by: 'channel'; readonly name: string; readonly channel: string }
  | { readonly by: 'digest'; readonly name: string; readonly digest: Digest };

const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$/;
const VERSION = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/;
const CHANNEL = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const DIGEST = /^sha256:([0-9a-f]{64})$/;
const TENANT = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Steps of lower-case letters and digits with single dots, dashes or underscores between them, separated by slashes; at
 * most 200 characters. The grammar of OCI repository names without their doubled separators, which the layout needs.
 * @throws ArtifactError `invalid`
 */
export function checkName(name: string): string {
  if (name.length <= 200 && NAME.test(name)) return name;
  throw invalid(
    'name',
    name,
    'use lower-case letters and digits, single . _ - between them, and / between steps: projections/orders',
  );
}

/** @throws ArtifactError `invalid` */
export function checkVersion(version: string): string {
  if (VERSION.test(version)) return version;
  throw invalid('version', version, 'use letters, digits and . _ + - (at most 128): 1.4.2');
}

/** @throws ArtifactError `invalid` */
export function checkChannel(channel: string): string {
  if (CHANNEL.test(channel)) return channel;
  throw invalid('channel', channel, 'use lower-case letters, digits and . _ - (at most 64): production');
}

/** @throws ArtifactError `invalid` */
export function checkTenant(tenant: string): string {
  if (TENANT.test(tenant)) return tenant;
  throw invalid('tenant', tenant, 'use lower-case letters, digits and dashes (at most 63): acme');
}

/** @throws ArtifactError `invalid` */
export function checkDigest(text: string): Digest {
  const hex = DIGEST.exec(text)?.[1];
  if (hex !== undefined) return `sha256:${hex}`;
  throw invalid('digest', text, 'write sha256: and 64 lower-case hex digits');
}

export const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);

/**
 * `projections/orders:1.4.2` (a version), `projections/orders@production` (a channel) or
 * `projections/orders@sha256:…` (the digest of a manifest).
 * @throws ArtifactError `invalid`
 */
export function parseReference(text: string): Reference {
  const split = /^([^:@]+)([:@])(.+)$/s.exec(text);
  const [, name = '', mark = '', rest = ''] = split ?? [];
  if (split === null) throw invalid('reference', text, 'write NAME:VERSION, NAME@CHANNEL or NAME@sha256:DIGEST');
  checkName(name);
  if (mark === ':') return { by: 'version', name, version: checkVersion(rest) };
  if (rest.startsWith('sha256:')) return { by: 'digest', name, digest: checkDigest(rest) };
  return { by: 'channel', name, channel: checkChannel(rest) };
}

/** As `parseReference` reads it. */
export function formatReference(reference: Reference): string {
  if (reference.by === 'version') return `${reference.name}:${reference.version}`;
  return `${reference.name}@${reference.by === 'channel' ? reference.channel : reference.digest}`;
}

function invalid(what: string, text: string, advice: string): ArtifactError {
  return new ArtifactError('invalid', `${JSON.stringify(text.slice(0, 100))} is not a ${what}`, {
    subject: text.slice(0, 100),
    advice,
  });
}
