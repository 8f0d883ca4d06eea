import { createHash, randomBytes } from 'node:crypto';
import { Secret } from '../core/secret.ts';
import { ArtifactError } from './errors.ts';

/** What a ticket is for: `upload` lets its holder make one version, `link` download one content. */
export type TicketKind = 'upload' | 'link';
const marks = { upload: 'bwu', link: 'bwl' } as const satisfies Record<TicketKind, string>;

/** A secret that names its tenant, so that one who holds many stores knows where to look. */
export interface Ticket {
  readonly kind: TicketKind;
  readonly tenant: string | undefined;
  /** Hex SHA-256: under this it is kept, so that who reads the bucket cannot use it. */
  readonly id: string;
}

/** 256 random bits; guessing is hopeless, so a plain hash is enough to keep it. */
export function newTicket(
  kind: TicketKind,
  tenant: string | undefined,
): { readonly secret: Secret; readonly id: string } {
  const text = `${marks[kind]}.${tenant ?? ''}.${randomBytes(32).toString('base64url')}`;
  return { secret: new Secret(text), id: idOf(text) };
}

/** @throws ArtifactError `ticket` for what is none of that kind */
export function parseTicket(text: string, kind: TicketKind): Ticket {
  const [, mark, tenant] = /^(bw[ul])\.((?:[a-z0-9][a-z0-9-]{0,62})?)\.[A-Za-z0-9_-]{43}$/.exec(text) ?? [];
  if (mark !== marks[kind]) throw unusable(kind, 'it is not written as one');
  return { kind, tenant: tenant === '' ? undefined : tenant, id: idOf(text) };
}

/** Its message never holds the ticket. */
export function unusable(kind: TicketKind, why: string): ArtifactError {
  return new ArtifactError('ticket', `this ${kind === 'upload' ? 'upload ticket' : 'link'} cannot be used: ${why}`, {
    advice:
      kind === 'upload'
        ? 'ask whoever issued it for a new one: bucketwright artifact grant'
        : 'ask for a new link; a link that is used once is spent even if its download broke',
  });
}

const idOf = (text: string): string => createHash('sha256').update(text).digest('hex');
