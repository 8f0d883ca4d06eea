import { readFile } from 'node:fs/promises';
import { Repository, where } from '../../backup/index.ts';
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
    .description('Change the passphrase: a new key slot, and the old ones removed. No data is written again.')
    .requiredOption('--new-file <file>', 'a file with the new passphrase')
    .option('--keep-old', 'leave the older passphrases working')
    .addHelpText('after', '\nExample:\n  bucketwright backup passphrase --new-file ./new-passphrase')
    .action(async ({ newFile, keepOld }: { newFile: string; keepOld?: boolean }) => {
      const secret = await readPassphrase(newFile);
      await withRepository(command, context, async (repository) => {
        const slot = await repository.addKey({ kind: 'passphrase', secret });
        const removed = keepOld === true ? 0 : await repository.removeOtherKeys(slot);
        context.out.write(`the new passphrase opens the repository; ${removed} older removed\n`);
      });
    });
};

async function readPassphrase(file: string): Promise<Secret> {
  try {
    const text = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
    if (text.length >= 12) return new Secret(text);
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${systemErrorCode(error) ?? 'unknown'})`, {
      subject: file,
      advice: 'check --new-file and its permissions',
      cause: error,
    });
  }
  throw new UsageError(`the passphrase in ${file} is shorter than 12 characters`, {
    subject: file,
    advice: 'use more',
  });
}
