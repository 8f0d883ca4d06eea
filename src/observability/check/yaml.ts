import { parseDocument } from 'yaml';

/**
 * Parses somebody else's YAML; never throws.
 * @returns the value, or one line that says what is wrong and where
 */
export function parseYaml(text: string): { readonly value: unknown } | { readonly problem: string } {
  // Bytes that are no UTF-8 were read as U+FFFD.
  if (/[\0\ufffd]/.test(text)) return { problem: 'it is no text in UTF-8' };
  try {
    const document = parseDocument(text, { uniqueKeys: true, logLevel: 'error' });
    const error = document.errors[0];
    if (error === undefined) return { value: document.toJS() };
    if (error.code === 'MULTIPLE_DOCS') {
      const [at] = error.linePos ?? [];
      return { problem: `a second document begins${at === undefined ? '' : ` at line ${at.line}`} (---)` };
    }
    const tabs = /^\s*\t/m.test(text) ? ' (a line is indented with a tab; YAML wants spaces)' : '';
    return { problem: `${error.message.split('\n')[0]?.replace(/:$/, '') ?? error.code}${tabs}` };
  } catch (error) {
    // Aliases that multiply, or nesting without end: the library throws errors of several kinds.
    return { problem: error instanceof Error ? error.message : 'it cannot be read' };
  }
}

/** The value alone, for those who leave the complaint to others. */
export function yamlValue(text: string): unknown {
  const parsed = parseYaml(text);
  return 'value' in parsed ? parsed.value : undefined;
}
