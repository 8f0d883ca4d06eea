import type { Finding } from '../../core/finding.ts';

/**
 * A configuration text with the defaults of its variables put in (`${LEVEL:-info}` becomes `info`). Those without a
 * default stay, since the values they have in the program's container are not known here.
 */
export function withDefaults(text: string): string {
  return text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');
}

/** One finding about the variables that have no default. */
export function variableFindings(program: string, subject: string, text: string): Finding[] {
  const lines = text.split('\n').filter((line) => !line.trim().startsWith('#'));
  const names = new Set([...lines.join('\n').matchAll(/(?<!\$)\$\{(\w+)\}/g)].map(([, name]) => name ?? ''));
  if (names.size === 0) return [];
  return [
    {
      id: `${program}-variables`,
      status: 'warn',
      subject,
      found: `expands ${[...names].join(', ')}`,
      why: 'a variable that is not set expands to nothing and the program still accepts the file; a quote in a value breaks it',
      advice: 'render the file from the settings instead, and give the keys by AWS_SHARED_CREDENTIALS_FILE',
    },
  ];
}
