import { randomBytes } from 'node:crypto';
import { Secret } from '../core/secret.ts';
import { parsePolicy, ROOT_ACCOUNT } from '../policy/index.ts';
import { UserError } from './errors.ts';
import {
  ACCESS_KEY_ID,
  ACCOUNT_ID,
  type Account,
  POLICY_NAME,
  SECRET_ACCESS_KEY,
  type StoredKey,
  type StoredQuota,
  type StoredUser,
  USER_NAME,
  type UserFile,
} from './model.ts';
import { changeUserFile, readUserFile } from './user-file.ts';
import { openVault } from './vault.ts';

/** Handed out once; nothing but the sealed form is kept. */
export interface NewKey {
  readonly user: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

export interface NewUser {
  readonly name: string;
  /** Default: the root account. */
  readonly account?: string | undefined;
  /** All rights of the account. Not in the root account, which has the root key for that. */
  readonly owner?: boolean | undefined;
  /** Of the account, when it is new. */
  readonly displayName?: string | undefined;
  readonly email?: string | undefined;
  readonly policies?: Readonly<Record<string, string>> | undefined;
  readonly quota?: StoredQuota | undefined;
  /** Keys brought along from elsewhere; default: made. */
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: Secret } | undefined;
}

/** A user as it may be shown: without secrets. */
export interface UserInfo extends Omit<StoredUser, 'keys'> {
  readonly keys: readonly Omit<StoredKey, 'secret'>[];
}

/** The users of a data directory, for commands. Works with the server running, which takes changes within 100 ms, and stopped. */
export class UserStore {
  readonly #data: string;
  readonly #serverKey: Secret | undefined;
  readonly #now: () => number;

  constructor(data: string, serverKey: Secret | undefined, now: () => number = Date.now) {
    this.#data = data;
    this.#serverKey = serverKey;
    this.#now = now;
  }

  list(): readonly UserInfo[] {
    return readUserFile(this.#data).users.map(withoutSecrets);
  }

  accounts(): readonly Account[] {
    return readUserFile(this.#data).accounts;
  }

  /** @throws UserError `no-such-user` */
  get(name: string): UserInfo {
    return withoutSecrets(userOf(readUserFile(this.#data), name));
  }

  /** @throws UserError `user-exists`, `key-exists`, `invalid`; PolicyError */
  async add(wanted: NewUser): Promise<NewKey> {
    const account = wanted.account ?? ROOT_ACCOUNT;
    const owner = wanted.owner ?? false;
    const { policies = {} } = wanted;
    check(
      USER_NAME.test(wanted.name) && wanted.name !== 'root',
      `"${wanted.name}" is no user name`,
      'use 1 to 64 letters, digits and _+=,.@- and not "root"',
    );
    check(ACCOUNT_ID.test(account), `"${account}" is no account name`, 'use 1 to 64 letters, digits and _.-');
    check(
      !(owner && account === ROOT_ACCOUNT),
      'the root account is owned by the root key',
      'leave --owner out, or name another --account',
    );
    for (const [name, document] of Object.entries(policies)) checkPolicy(name, document);
    const issue = await this.#issuer(wanted.name, wanted.key);
    return this.#change((file) => {
      if (file.users.some(({ name }) => name === wanted.name)) {
        throw new UserError('user-exists', `there is a user ${wanted.name}`, {
          subject: wanted.name,
          advice: 'rotate its key, or choose another name',
        });
      }
      const { stored, key } = issue(file);
      const user: StoredUser = {
        name: wanted.name,
        id: `AIDA${base32(16)}`,
        account,
        owner,
        enabled: true,
        created: this.#time(),
        keys: [stored],
        policies: { ...policies },
        ...(wanted.quota !== undefined && { quota: wanted.quota }),
      };
      const known = account === ROOT_ACCOUNT || file.accounts.some(({ id }) => id === account);
      const { displayName = account, email } = wanted;
      const accounts = known
        ? file.accounts
        : [...file.accounts, { id: account, displayName, ...(email !== undefined && { email }) }];
      return { file: { ...file, accounts, users: [...file.users, user] }, result: key };
    });
  }

  /**
   * A new key; the ones there go on working for the overlap.
   * @param overlap milliseconds; 0 ends them at once
   */
  async rotate(
    name: string,
    overlap: number,
  ): Promise<NewKey & { readonly replaced: readonly string[]; readonly until: string }> {
    const issue = await this.#issuer(name, undefined);
    const now = this.#now();
    const until = new Date(now + overlap).toISOString();
    return this.#change((file) => {
      const user = userOf(file, name);
      const { stored, key } = issue(file);
      const live = user.keys.filter(({ expires }) => expires === undefined || Date.parse(expires) > now);
      const ending = overlap === 0 ? [] : live.map((old) => ({ ...old, expires: earlier(old.expires, until) }));
      const replaced = live.map(({ id }) => id);
      return { file: replace(file, { ...user, keys: [...ending, stored] }), result: { ...key, replaced, until } };
    });
  }

  /** Disabled: every key of the user is refused, and everything else is kept. */
  async setEnabled(name: string, enabled: boolean): Promise<UserInfo> {
    return this.#edit(name, (user) => ({ ...user, enabled }));
  }

  /** Its buckets and objects stay: they are the account's. @throws UserError `no-such-user` */
  async remove(name: string): Promise<void> {
    await this.#change((file) => {
      const user = userOf(file, name);
      const users = file.users.filter((other) => other !== user);
      // An account that nobody is left in keeps its name: buckets and ACLs may still say it.
      return { file: { ...file, users }, result: undefined };
    });
  }

  /** Undefined removes the policy. @throws UserError `no-such-policy`, `invalid`; PolicyError */
  async setPolicy(name: string, policyName: string, document: string | undefined): Promise<UserInfo> {
    if (document !== undefined) checkPolicy(policyName, document);
    return this.#edit(name, (user) => {
      const { [policyName]: old, ...others } = user.policies;
      if (document !== undefined) return { ...user, policies: { ...others, [policyName]: document } };
      if (old === undefined)
        throw new UserError('no-such-policy', `${name} has no policy ${policyName}`, { subject: policyName });
      return { ...user, policies: others };
    });
  }

  /** Undefined: as much as there is room for. @throws UserError `no-such-user` */
  async setQuota(name: string, quota: StoredQuota | undefined): Promise<UserInfo> {
    return this.#edit(name, ({ quota: _, ...user }) => ({ ...user, ...(quota !== undefined && { quota }) }));
  }

  #edit(name: string, change: (user: StoredUser) => StoredUser): Promise<UserInfo> {
    return this.#change((file) => {
      const user = change(userOf(file, name));
      return { file: replace(file, user), result: withoutSecrets(user) };
    });
  }

  #change<T>(change: (file: UserFile) => { readonly file: UserFile; readonly result: T }): Promise<T> {
    return changeUserFile(this.#data, change);
  }

  async #issuer(user: string, given: NewUser['key']) {
    const key: NewKey = {
      user,
      accessKeyId: given?.accessKeyId ?? base32(20),
      // 240 bits, in characters that no shell, YAML or URL needs to quote.
      secretAccessKey: given?.secretAccessKey ?? new Secret(randomBytes(30).toString('base64url')),
    };
    check(
      ACCESS_KEY_ID.test(key.accessKeyId),
      'the access key id is not well-formed',
      'use 3 to 128 visible ASCII characters',
    );
    check(
      SECRET_ACCESS_KEY.test(key.secretAccessKey.reveal()),
      'the secret access key is not well-formed',
      'use 8 to 256 visible ASCII characters',
    );
    const vault = await openVault(this.#data, this.#serverKey, readUserFile(this.#data).users.length > 0);
    const stored: StoredKey = {
      id: key.accessKeyId,
      secret: vault.seal(key.secretAccessKey, key.accessKeyId),
      created: this.#time(),
    };
    return (file: UserFile) => {
      // A key sealed with another server key would make both unreadable: find out before anything is written.
      for (const { id, secret } of file.users.flatMap(({ keys }) => keys).slice(0, 1)) vault.open(secret, id);
      if (file.users.some(({ keys }) => keys.some(({ id }) => id === key.accessKeyId))) {
        throw new UserError('key-exists', `there is a key ${key.accessKeyId}`, { subject: key.accessKeyId });
      }
      return { stored, key };
    };
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}

function userOf(file: UserFile, name: string): StoredUser {
  const user = file.users.find((candidate) => candidate.name === name);
  if (user !== undefined) return user;
  throw new UserError('no-such-user', `there is no user ${name}`, {
    subject: name,
    advice: 'bucketwright user list names them',
  });
}

function replace(file: UserFile, user: StoredUser): UserFile {
  return { ...file, users: file.users.map((other) => (other.name === user.name ? user : other)) };
}

function withoutSecrets(user: StoredUser): UserInfo {
  const keys = user.keys.map(({ id, created, expires }) => ({
    id,
    created,
    ...(expires !== undefined && { expires }),
  }));
  return { ...user, keys };
}

function checkPolicy(name: string, document: string): void {
  check(POLICY_NAME.test(name), `"${name}" is no policy name`, 'use 1 to 128 letters, digits and _+=,.@-');
  parsePolicy(document, { kind: 'identity' });
}

function check(holds: boolean, message: string, advice: string): void {
  if (!holds) throw new UserError('invalid', message, { advice });
}

function earlier(one: string | undefined, other: string): string {
  return one !== undefined && one < other ? one : other;
}

function base32(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('');
}
