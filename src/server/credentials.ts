import type { CredentialSource } from '../s3/index.ts';
import type { UserDirectory } from '../users/index.ts';
import { ROOT_PRINCIPAL, type RootCredentials } from './options.ts';

/** The root key, which always works, and the users'. */
export function credentialsOf(
  { rootCredentials }: { readonly rootCredentials: RootCredentials },
  users: UserDirectory,
): CredentialSource {
  const { accessKeyId, secretAccessKey } = rootCredentials;
  const root = { secret: secretAccessKey, principal: ROOT_PRINCIPAL };
  return {
    find(asked) {
      if (asked === accessKeyId) return root;
      const found = users.find(asked);
      return found === undefined
        ? undefined
        : { secret: found.secret, principal: found.user.account, user: found.user };
    },
  };
}
