import { declarations } from './declarations.ts';
import { manifestProperties } from './manifest/reference.ts';

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
  const manifest = manifestProperties();
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'bucketwright.yaml',
    type: ['object', 'null'],
    additionalProperties: false,
    properties: {
      ...properties,
      ...manifest,
      environments: {
        type: ['object', 'null'],
        description: 'By name, what is laid over the rest for --environment NAME.',
        additionalProperties: {
          type: ['object', 'null'],
          additionalProperties: false,
          properties: { ...properties, ...manifest },
        },
      },
    },
  };
}
