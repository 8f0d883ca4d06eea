import { resolveEffective } from '../../providers/index.ts';
import { type EffectiveValue, formatOrigin } from '../../settings/index.ts';
import { loadSettings, noun, type Register, withSettings } from '../context.ts';

export const configShow: Register = (program, context) => {
  const command = noun(program, 'config', 'Look at the configuration.').command('show');
  withSettings(command)
    .description('Print every effective setting with its origin. Secrets are never shown.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  S3_ENDPOINT=fsn1.your-objectstorage.com bucketwright config show')
    .action(({ json }: { json?: boolean }) => {
      const settings = loadSettings(command, context);
      const effective = resolveEffective(settings);
      const storage =
        settings.storage.kind === 's3'
          ? `s3 at ${settings.storage.endpoint.url}`
          : `filesystem: ${settings.storage.notice}`;
      if (json === true) {
        const values = effective.map((entry) => ({
          ...entry,
          origin: { ...entry.origin, text: formatOrigin(entry.origin) },
        }));
        const document = {
          storage: settings.storage.kind,
          notice: storage,
          settings: values,
          buckets: settings.manifest.buckets.map(({ name }) => name),
        };
        context.out.write(`${JSON.stringify(document, null, 2)}\n`);
        return;
      }
      context.out.write(`storage: ${storage}\n\n${table(effective)}\n`);
      const further = settings.manifest.buckets.map(({ name }) => name);
      if (further.length > 0) context.out.write(`\nfurther buckets: ${further.join(', ')}\n`);
    });
};

function table(values: readonly EffectiveValue[]): string {
  const rows = values.map(({ name, value, secret, origin }) => {
    const from = formatOrigin(origin);
    if (value === undefined) return [name, '-', from] as const;
    return secret ? ([name, `set (from ${from})`, ''] as const) : ([name, value, from] as const);
  });
  const width = (column: 0 | 1) =>
    Math.max(...rows.map((row) => (column === 1 && row[2] === '' ? 0 : row[column].length)));
  const [names, texts] = [width(0), width(1)];
  return rows.map(([name, text, from]) => `${name.padEnd(names)}  ${text.padEnd(texts)}  ${from}`.trimEnd()).join('\n');
}
