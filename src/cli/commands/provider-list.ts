import { features, type ProviderProfile, providers } from '../../providers/index.ts';
import { noun, type Register } from '../context.ts';
import { formatRows } from '../rows.ts';

export const provider = 'What is known of each S3 provider, and what an endpoint can really do.';

export const providerList: Register = (program, context) => {
  noun(program, 'provider', provider)
    .command('list')
    .description('Every provider with a profile: what S3_PROVIDER calls it, and how many features are known to work.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright provider list')
    .action(({ json }: { json?: boolean }) => {
      if (json === true) {
        const entries = providers.map(({ name, title, features: known }) => ({ name, title, features: known }));
        context.out.write(`${JSON.stringify(entries, null, 2)}\n`);
        return;
      }
      const rows = providers.map((profile) => [profile.name, profile.title, counts(profile)]);
      context.out.write(formatRows([['name', 'provider', `of ${features.length} features`], ...rows]));
    });
};

function counts({ features: known }: ProviderProfile): string {
  const states = Object.values(known);
  return (['yes', 'partial', 'no', 'unknown'] as const)
    .map((state) => [state, states.filter((each) => each === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}
