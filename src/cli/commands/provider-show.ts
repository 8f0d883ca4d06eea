import { UsageError } from '../../core/errors.ts';
import { priceLists } from '../../cost/index.ts';
import { features, type ProviderProfile, providerNamed, providers } from '../../providers/index.ts';
import { suggest } from '../../settings/index.ts';
import { noun, type Register } from '../context.ts';
import { formatRows } from '../rows.ts';
import { provider } from './provider-list.ts';

export const providerShow: Register = (program, context) => {
  noun(program, 'provider', provider)
    .command('show <name>')
    .description('The profile of a provider: how it is addressed, what it can do, and what is different about it.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright provider show hetzner')
    .action((name: string, { json }: { json?: boolean }) => {
      const profile = providerNamed(name);
      if (profile === undefined) {
        const names = providers.map((each) => each.name);
        const near = suggest(name, names);
        throw new UsageError(`there is no profile of ${name}`, {
          subject: name,
          advice: near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`,
        });
      }
      if (json === true) context.out.write(`${JSON.stringify(profileJson(profile), null, 2)}\n`);
      else context.out.write(profileText(profile));
    });
};

function pricesOf({ name }: ProviderProfile): string | undefined {
  const list = priceLists.find((each) => each.provider === name);
  return list === undefined ? undefined : `${list.currency}, of ${list.asOf}: bucketwright cost --for ${name}`;
}

/** Patterns as text; all else as it is. */
function profileJson({ hosts, policy, ...rest }: ProviderProfile): object {
  const { principal, ...dialect } = policy;
  return {
    ...rest,
    hosts: hosts.map(({ source }) => source),
    policy: principal === undefined ? dialect : { ...dialect, principal: principal.form },
  };
}

function profileText(profile: ProviderProfile): string {
  const { principal, actions, settleMs, lockoutIsFinal, ignored = [], implicitDeny } = profile.policy;
  const facts: [string, string | undefined][] = [
    [
      'told by',
      profile.hosts.length === 0 ? `S3_PROVIDER=${profile.name}` : profile.hosts.map(({ source }) => source).join('  '),
    ],
    [
      'region',
      `${profile.defaultRegion} by default${profile.regionMatters ? '; a wrong one is refused' : '; any is accepted'}`,
    ],
    ['addressed', profile.pathStyle ? 'in the path' : 'in the host name'],
    ['checksums', profile.checksums === 'when-supported' ? 'with every upload' : 'only where S3 demands one'],
    ['lifecycle prefix', profile.lifecyclePrefix === 'rule' ? 'beside the rule, never in a Filter' : 'in a Filter'],
    ['principals', principal?.form],
    [
      'actions in policies',
      actions === undefined ? undefined : `${actions.length} are known; any other fails the whole policy`,
    ],
    ['ignored in policies', ignored.length === 0 ? undefined : ignored.join(', ')],
    ['policies settle', settleMs === 0 ? 'at once' : `in about ${Math.round(settleMs / 1000)} s`],
    ['locked out by a policy', lockoutIsFinal ? 'for good' : 'the owner can remove it'],
    ['conditions that hold', profile.conditions.length === 0 ? 'none' : profile.conditions.join(', ')],
    ['not named by a policy', implicitDeny === true ? 'shut out' : undefined],
    ['prices', pricesOf(profile)],
  ];
  const head = facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const rows = features.map((feature) => [feature, profile.features[feature], profile.notes[feature] ?? '']);
  const steps = (profile.keysByHand ?? []).map((step, index) => `  ${index + 1}. ${step}`);
  const told = [...(profile.rules ?? []), ...(steps.length === 0 ? [] : ['To make a key:', ...steps])];
  const tail = told.length === 0 ? '' : `\n${told.map((text) => `${text}\n`).join('')}`;
  return `${profile.title} (S3_PROVIDER=${profile.name})\n\n${formatRows(head)}\n${formatRows(rows)}${tail}`;
}
