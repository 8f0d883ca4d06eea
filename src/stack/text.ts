/** A YAML double-quoted scalar. JSON's strings are YAML's: https://yaml.org/spec/1.2.2/#12-overview-of-yaml */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Every line but empty ones moved right by this many spaces. */
export function indented(text: string, spaces: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(spaces));
}

/**
 * The text of a template literal that starts on its own line: the first line break goes, one is kept at the end, and
 * what interpolations left empty collapses to at most one empty line.
 */
export function document(text: string): string {
  return `${text
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

/** The note at the top of every rendered file. */
export function renderedBy(kind: string): string {
  return `# Rendered by \`bucketwright render ${kind}\`: change the settings and render again, do not edit.`;
}
