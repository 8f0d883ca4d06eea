import { parseDocument } from 'yaml';
import { z } from 'zod';
import { DAY, HOUR, MINUTE, parseDuration, SECOND, WEEK } from '../../core/durations.ts';
import { BackupError } from '../errors.ts';
import type { KeepRules } from '../keep.ts';
import { sourcePattern } from '../repository/names.ts';

const duration = z.string().transform((text, context) => {
  const value = parseDuration(text);
  if (value !== undefined && value > 0) return value;
  context.issues.push({ code: 'custom', message: 'must be a duration such as 30s, 6h or 7d', input: text });
  return z.NEVER;
});
const name = z.string().regex(sourcePattern, 'must be letters, digits, dots, dashes and underscores, at most 64');
const number = z.number().int().min(0).max(100_000);

const sourceSchema = z.strictObject({
  name,
  path: z.string().min(1),
  kind: z.enum(['mdbx', 'directory']).default('mdbx'),
  method: z.enum(['auto', 'reader', 'mdbx_copy', 'reflink', 'offline']).default('auto'),
});

const setSchema = z.strictObject({
  name,
  every: duration.default(HOUR),
  sources: z.array(sourceSchema).min(1),
  before: z.string().optional(),
  after: z.string().optional(),
  hook_limit: duration.default(5 * MINUTE),
  rpo: duration.optional(),
  rto: duration.optional(),
});

const keepSchema = z.strictObject({
  last: number.default(0),
  hourly: number.default(0),
  daily: number.default(0),
  weekly: number.default(0),
  monthly: number.default(0),
  within: duration.optional(),
});

const planSchema = z.strictObject({
  scratch: z.string().optional(),
  /** `host:port` for /metrics and /healthz. */
  listen: z
    .string()
    .regex(/^\S+:\d{1,5}$/, 'must be host:port')
    .optional(),
  sets: z.array(setSchema).min(1),
  prune: z.strictObject({ every: duration.default(6 * HOUR), keep: keepSchema }).optional(),
  drill: z.strictObject({ every: duration.default(WEEK) }).optional(),
  verify: z
    .strictObject({
      every: duration.default(DAY),
      share: z
        .string()
        .regex(/^(?:100|[1-9]?\d)%$/, 'must be a share such as 10%')
        .transform((text) => Number(text.slice(0, -1)) / 100)
        .default(0.1),
    })
    .optional(),
});

/** What the daemon does, parsed. Durations are milliseconds. */
export type DaemonPlan = z.infer<typeof planSchema>;
export type SetPlan = DaemonPlan['sets'][number];
export type SourcePlan = SetPlan['sources'][number];

/** The rules of the plan's `keep`. */
export const keepRulesOf = ({ within, ...rest }: z.infer<typeof keepSchema>): KeepRules => ({
  ...rest,
  within: within ?? 0,
});

/**
 * Reads the daemon's file.
 * @param file its name, for messages
 * @throws BackupError `configuration`, with the first thing that is wrong and where
 */
export function parseDaemonPlan(text: string, file: string): DaemonPlan {
  const document = parseDocument(text);
  const [syntax] = document.errors;
  if (syntax !== undefined) throw wrong(file, syntax.message.split('\n')[0] ?? 'it is no YAML');
  const parsed = planSchema.safeParse(document.toJS());
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(file, `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'is wrong'}`);
  }
  const plan = parsed.data;
  const sources = plan.sets.flatMap((set) => set.sources.map((source) => source.name));
  const twice = sources.find((source, at) => sources.indexOf(source) !== at);
  if (twice !== undefined) throw wrong(file, `the source ${twice} is in it twice`);
  const sets = plan.sets.map((set) => set.name);
  const again = sets.find((set, at) => sets.indexOf(set) !== at);
  if (again !== undefined) throw wrong(file, `the set ${again} is in it twice`);
  const keep = plan.prune?.keep;
  if (keep !== undefined && Object.values(keepRulesOf(keep)).every((value) => value === 0)) {
    throw wrong(file, 'prune.keep needs at least one rule');
  }
  const hasty = plan.sets.find((set) => set.every < SECOND);
  if (hasty !== undefined) throw wrong(file, `${hasty.name}: every must be at least 1s`);
  return plan;
}

function wrong(file: string, what: string): BackupError {
  return new BackupError('configuration', `${file}: ${what}`, {
    subject: file,
    advice: 'docs/how-to/backup.md has an example',
  });
}
