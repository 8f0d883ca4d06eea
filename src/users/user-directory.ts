import { statSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Secret } from '../core/secret.ts';
import { type Policy, parsePolicy, ROOT_ACCOUNT } from '../policy/index.ts';
import type { Account, StoredQuota, StoredUser } from './model.ts';
import { readUserFile, userFilePath } from './user-file.ts';
import { existingVault, missingKey } from './vault.ts';

/** A user as the server asks for it with every request. */
export interface KnownUser {
  readonly name: string;
  readonly id: string;
  readonly account: string;
  readonly arn: string;
  readonly owner: boolean;
  readonly policies: readonly Policy[];
  readonly quota: StoredQuota | undefined;
}

export interface KnownKey {
  readonly secret: Secret;
  readonly user: KnownUser;
}

interface Entry extends KnownKey {
  /** Milliseconds since 1970; undefined: never. */
  readonly expires: number | undefined;
}

/** How long a change may go unseen by keys that are known; an unknown key looks at once. */
const STALE_MS = 100;

export interface UserDirectoryOptions {
  readonly data: string;
  readonly serverKey: Secret | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The users of a data directory as a server reads them, in every process of it: at most ten times a second a request
 * looks whether the file was replaced. No watcher: those miss changes on shared and bind-mounted volumes.
 */
export class UserDirectory {
  readonly #options: UserDirectoryOptions;
  #keys: ReadonlyMap<string, Entry> = new Map();
  #accounts: ReadonlyMap<string, Account> = new Map();
  #version = '';
  #looked = Number.NEGATIVE_INFINITY;

  /** @throws UserError `damaged`, `server-key` */
  constructor(options: UserDirectoryOptions) {
    this.#options = options;
    this.#version = versionOf(options.data);
    this.#load();
  }

  /** Undefined also when the key has expired or its user is disabled. */
  find(accessKeyId: string): KnownKey | undefined {
    this.#refresh(false);
    let entry = this.#keys.get(accessKeyId);
    if (entry === undefined) {
      this.#refresh(true);
      entry = this.#keys.get(accessKeyId);
    }
    if (entry?.expires !== undefined && entry.expires <= this.#options.clock.now()) return undefined;
    return entry;
  }

  account(id: string): Account | undefined {
    this.#refresh(false);
    return this.#accounts.get(id);
  }

  accountByEmail(email: string): Account | undefined {
    this.#refresh(false);
    for (const account of this.#accounts.values()) {
      if (account.email?.toLowerCase() === email.toLowerCase()) return account;
    }
    return undefined;
  }

  #refresh(now: boolean): void {
    const time = performance.now();
    if (!now && time - this.#looked < STALE_MS) return;
    this.#looked = time;
    const version = versionOf(this.#options.data);
    if (version === this.#version) return;
    this.#version = version;
    try {
      this.#load();
    } catch (error) {
      // What was known goes on: a damaged file must not lock everybody out, and says so.
      this.#options.logger.error({ err: error }, 'the changed users cannot be read; the former ones stay');
    }
  }

  #load(): void {
    const { data, serverKey, logger } = this.#options;
    const file = readUserFile(data);
    const vault = file.users.length === 0 ? undefined : existingVault(data, serverKey);
    const keys = new Map<string, Entry>();
    for (const user of file.users) {
      if (!user.enabled) continue;
      if (vault === undefined) {
        throw missingKey(userFilePath(data));
      }
      const known = describe(user, logger);
      for (const { id, secret, expires } of user.keys) {
        keys.set(id, {
          secret: vault.open(secret, id),
          user: known,
          expires: expires === undefined ? undefined : Date.parse(expires),
        });
      }
    }
    this.#accounts = new Map(
      [{ id: ROOT_ACCOUNT, displayName: ROOT_ACCOUNT }, ...file.accounts].map((account) => [account.id, account]),
    );
    this.#keys = keys;
  }
}

function describe(user: StoredUser, logger: Logger): KnownUser {
  const policies: Policy[] = [];
  for (const [name, document] of Object.entries(user.policies)) {
    try {
      policies.push(parsePolicy(document, { kind: 'identity' }));
    } catch (error) {
      // Half of a user's policies could lack the one that denies.
      logger.error(
        { err: error, user: user.name, policy: name },
        'a policy cannot be read: its user is denied everything',
      );
      return known(user, [DENY_ALL]);
    }
  }
  return known(user, policies);
}

const DENY_ALL = parsePolicy('{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}', {
  kind: 'identity',
});

function known({ name, id, account, owner, quota }: StoredUser, policies: readonly Policy[]): KnownUser {
  return { name, id, account, owner, arn: `arn:aws:iam::${account}:user/${name}`, policies, quota };
}

/** The file is only ever replaced, so a new one has another inode or time. */
function versionOf(data: string): string {
  const stat = statSync(userFilePath(data), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
}
