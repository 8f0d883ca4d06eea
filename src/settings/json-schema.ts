import { declarations } from './declarations.ts';

/** The JSON Schema (draft 2020-12) of bucketwright.yaml, for editors. */
export function jsonSchema(): object {
  const sections = new Map<string, Record<string, object>>();
  for (const { yaml, json, help, default: fallback, example, secret } of declarations) {
    const [section, key] = yaml;
    const properties = sections.get(section) ?? {};
    properties[key] = {
      ...json,
      description: help,
      ...(fallback === undefined ? {} : { default: json.type === 'boolean' ? fallback === 'true' : fallback }),
      ...(secret ? {} : { examples: [json.type === 'boolean' ? example === 'true' : example] }),
    };
    if (secret) properties[`${key}File`] = { type: 'string', description: `A file that holds it. ${help}` };
    sections.set(section, properties);
  }
  const properties: Record<string, object> = {};
  for (const [section, members] of sections) {
    properties[section] = { type: ['object', 'null'], additionalProperties: false, properties: members };
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'bucketwright.yaml',
    type: ['object', 'null'],
    additionalProperties: false,
    properties: {
      ...properties,
      buckets: {
        type: ['array', 'null'],
        description: 'Further buckets that `bucketwright provision` creates and `bucketwright verify` proves.',
        uniqueItems: true,
        items: { type: 'string', minLength: 3, maxLength: 63, pattern: '^[a-z0-9][a-z0-9.-]*[a-z0-9]$' },
      },
    },
  };
}
