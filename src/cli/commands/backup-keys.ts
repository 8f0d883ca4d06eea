import { readFile } from 'node:fs/promises';
import { type Opener, Repository, where } from '../../backup/index.ts';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import { backupCommand, withPlace, withRepository } from '../backup.ts';
import { type Register, withSettings } from '../context.ts';

export const backupInit: Register = (program, context) => {
  const command = backupCommand(program, 'init');
  withSettings(command)
    .description('Make a backup repository in S3_BUCKET_BACKUP; the bucket must exist.')
    .addHelpText(
      'after',
      '\nThe passphrase (BUCKETWRIGHT_BACKUP_PASSPHRASE or its _FILE) encrypts everything. Whoever loses it has no backups.\n\nExample:\n  bucketwright backup init',
    )
    .action(() =>
      withPlace(command, context, async (place, opener) => {
        await Repository.init(place, opener);
        context.out.write(`made a backup repository in ${where(place)}\n`);
      }),
    );
};

export const backupPassphrase: Register = (program, context) => {
  const command = backupCommand(program, 'passphrase');
  withSettings(command)
    .description('Change the passphrase or key: a new key slot, and the old ones removed. No data is written again.')
    .option('--new-file <file>', 'a file with the new passphrase')
    .option('--new-key-file <file>', 'or one with a new key, as `openssl rand -base64 32` makes it')
    .option('--keep-old', 'leave the older passphrases and keys working')
    .addHelpText(
      'after',
      '\nExamples:\n  bucketwright backup passphrase --new-file ./new-passphrase\n  bucketwright backup passphrase --new-key-file ./new-key',
    )
    .action(async (options: PassphraseOptions) => {
      const opener = await newOpener(options);
      await withRepository(command, context, async (repository) => {
        const slot = await repository.addKey(opener);
        const removed = options.keepOld === true ? 0 : await repository.removeOtherKeys(slot);
        context.out.write(`the new ${opener.kind} opens the repository; ${removed} older removed\n`);
      });
    });
};

interface PassphraseOptions {
  readonly newFile?: string;
  readonly newKeyFile?: string;
  readonly keepOld?: boolean;
}

/** Held to what the settings ask of both. */
async function newOpener({ newFile, newKeyFile }: PassphraseOptions): Promise<Opener> {
  const file = newFile ?? newKeyFile;
  if (file === undefined || (newFile !== undefined && newKeyFile !== undefined)) {
    throw new UsageError('one new passphrase or one new key is needed', {
      subject: '--new-file',
      advice: 'name a file with --new-file or with --new-key-file',
    });
  }
  const kind = file === newFile ? 'passphrase' : 'key';
  const text = await readSecret(file);
  if (kind === 'passphrase' ? text.length >= 12 : /^[A-Za-z0-9+/]{43,1400}={0,2}$/.test(text)) {
    return { kind, secret: new Secret(text) };
  }
  throw kind === 'passphrase'
    ? new UsageError(`the passphrase in ${file} is shorter than 12 characters`, { subject: file, advice: 'use more' })
    : new UsageError(`${file} holds no 32 random bytes or more in base64, on one line`, {
        subject: file,
        advice: 'make a key with: openssl rand -base64 32',
      });
}

async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${systemErrorCode(error) ?? 'unknown'})`, {
      subject: file,
      advice: 'check its name and its permissions',
      cause: error,
    });
  }
}
