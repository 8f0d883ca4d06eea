import { ArtifactError } from '../../artifacts/errors.ts';
import { formatBytes } from '../../core/sizes.ts';
import { type TrustOptions, trustedKeys, withTrust } from '../artifacts/keys.ts';
import { type ArtifactOptions, artifactVerb, printJson, withStore } from '../artifacts/session.ts';
import type { Register } from '../context.ts';

interface Options extends ArtifactOptions, TrustOptions {
  readonly digest?: string;
  readonly print?: boolean;
}

export const artifactSbom: Register = (program, context) => {
  const command = artifactVerb(
    program,
    'sbom <reference>',
    'The bills of materials of an artifact, and who signed them.',
  )
    .option('--print', 'print the bill itself, checked; with --trust only a signed one')
    .option('--digest <digest>', 'which, where there are several')
    .addHelpText(
      'after',
      '\nA bill is attached and signed by `artifact sign --sbom FILE`.\n\nExample:\n  bucketwright artifact sbom projections/orders@production --trust key.pub --print',
    );
  withTrust(command).action(async (reference: string, options: Options) => {
    const keys = await trustedKeys(options);
    await withStore(command, context, options, async (store) => {
      const { artifact } = await store.resolve(reference);
      const found = [];
      for await (const bill of store.bills(artifact, keys)) {
        if (options.digest === undefined || options.digest === bill.digest) found.push(bill);
      }
      if (options.print !== true) {
        if (options.json === true) return printJson(context, { artifact, bills: found });
        for (const { digest, size, signedBy } of found) {
          const by = signedBy.length === 0 ? 'no trusted signature' : `signed by key ${signedBy.join(', ')}`;
          context.out.write(`${digest}  ${formatBytes(size)}  ${by}\n`);
        }
        return;
      }
      const usable = keys.length === 0 ? found : found.filter(({ signedBy }) => signedBy.length > 0);
      const [bill] = usable;
      if (bill === undefined && found.length > 0) {
        throw new ArtifactError('signature', `no bill of ${reference} is signed by a trusted key`, {
          subject: reference,
          advice: `its maker signs it: bucketwright artifact sign ${reference} --key KEY --sbom FILE`,
        });
      }
      if (bill === undefined || usable.length > 1) {
        const have = bill === undefined ? 'no bill of materials' : `${usable.length} bills of materials`;
        throw new ArtifactError('invalid', `${reference} has ${have}`, {
          subject: reference,
          advice: bill === undefined ? 'attach one: bucketwright artifact sign --sbom FILE' : 'say which with --digest',
        });
      }
      context.out.write(await store.readBill(artifact, bill.digest));
    });
  });
};
