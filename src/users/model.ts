import { z } from 'zod';

/** Names as IAM allows them. Unique over all accounts, so that a command needs nothing else. */
export const USER_NAME = /^[A-Za-z0-9_+=,.@-]{1,64}$/;
export const ACCOUNT_ID = /^[A-Za-z0-9_.-]{1,64}$/;
export const POLICY_NAME = /^[A-Za-z0-9_+=,.@-]{1,128}$/;
export const ACCESS_KEY_ID = /^[\x21-\x7e]{3,128}$/;
export const SECRET_ACCESS_KEY = /^[\x21-\x7e]{8,256}$/;

const time = z.iso.datetime();

const key = z.strictObject({
  id: z.string().regex(ACCESS_KEY_ID),
  /** AES-256-GCM: nonce, tag and text in base64url; `vault.ts`. */
  secret: z.string(),
  created: time,
  /** From then on the key is refused; of a rotated key the end of its overlap. */
  expires: time.optional(),
});

const user = z.strictObject({
  name: z.string().regex(USER_NAME),
  /** Made once, never used again: `aws:userid`. */
  id: z.string(),
  account: z.string().regex(ACCOUNT_ID),
  /** Holds all rights of its account, as the root key does of the root account. */
  owner: z.boolean(),
  enabled: z.boolean(),
  created: time,
  keys: z.array(key),
  /** Identity policies by name, each a JSON document as text. */
  policies: z.record(z.string(), z.string()),
  /** How many bytes these buckets may hold together while the user writes; undefined: as many as there is room for. */
  quota: z.strictObject({ bytes: z.int().nonnegative(), buckets: z.array(z.string()) }).optional(),
});

const account = z.strictObject({
  /** Owns buckets and is named in ACLs under this id. */
  id: z.string().regex(ACCOUNT_ID),
  displayName: z.string(),
  /** For ACL grants by e-mail address. */
  email: z.string().optional(),
});

/** What `users.json` of a data directory holds. */
export const userFile = z.strictObject({ format: z.literal(1), accounts: z.array(account), users: z.array(user) });

export type UserFile = z.output<typeof userFile>;
export type StoredUser = z.output<typeof user>;
export type StoredQuota = NonNullable<StoredUser['quota']>;
export type StoredKey = z.output<typeof key>;
export type Account = z.output<typeof account>;

export const noUsers: UserFile = { format: 1, accounts: [], users: [] };
