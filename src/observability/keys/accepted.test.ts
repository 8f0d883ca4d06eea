import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseKeyTable, siblingKeys, unknownKeys } from './accepted.ts';
import { lokiKeys } from './loki-3.7.ts';
import { tempoKeys } from './tempo-3.0.ts';

const table = parseKeyTable(`
root= plain nested{inner
  wrapped} list:$item stores:*$item free:* +shared
item= name
shared= common
`);

describe('a table of accepted keys', () => {
  it('accepts what it names', () => {
    const good = {
      plain: 1,
      nested: { inner: 1, wrapped: 2 },
      list: [{ name: 'a' }, { name: 'b' }],
      stores: { mine: { name: 'x' } },
      free: { any: { thing: 1 } },
      common: true,
    };
    expect(unknownKeys(table, good)).toEqual([]);
  });

  it('names the path of everything else', () => {
    const bad = {
      plain: 1,
      plane: 2,
      nested: { inter: 1 },
      list: [{ name: 1 }, { nam: 1 }],
      stores: { mine: { x: 1 } },
    };
    expect(unknownKeys(table, bad)).toEqual(['plane', 'nested.inter', 'list[1].nam', 'stores.mine.x']);
  });

  it('refuses a text that is no table', () => {
    expect(() => parseKeyTable('what is this')).toThrow(TypeError);
    expect(() => parseKeyTable('root= a{b')).toThrow(TypeError);
    expect(() => parseKeyTable('root= a}')).toThrow(TypeError);
  });

  it('never throws on any configuration', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => Array.isArray(unknownKeys(table, value))));
  });
});

describe('the published tables', () => {
  it('know that Loki spells bucketnames and s3forcepathstyle in one client and bucket_name in the other', () => {
    const loki = parseKeyTable(lokiKeys);
    const wrong = {
      storage_config: {
        aws: { bucketnames: 'a', bucket_names: 'a', s3forcepathstyle: true, s3_force_path_style: true },
        object_store: { s3: { bucket_name: 'a', s3forcepathstyle: true }, storage_prefix: 'x' },
      },
    };
    expect(unknownKeys(loki, wrong)).toEqual([
      'storage_config.aws.bucket_names',
      'storage_config.aws.s3_force_path_style',
      'storage_config.object_store.s3.s3forcepathstyle',
    ]);
    expect(siblingKeys(loki, 'storage_config.aws.bucket_names')).toContain('bucketnames');
  });

  it("know that Tempo 3 has no compactor, no ingester and Loki's spellings are not its own", () => {
    const wrong = { compactor: {}, ingester: {}, storage: { trace: { s3: { bucket_name: 'x', prefix: 'y' } } } };
    expect(unknownKeys(parseKeyTable(tempoKeys), wrong)).toEqual([
      'compactor',
      'ingester',
      'storage.trace.s3.bucket_name',
    ]);
  });

  it('know what the published references leave out, as far as people use it', () => {
    const usual = {
      multitenancy_enabled: true,
      stream_over_http_enabled: true,
      metrics_generator: { registry: { external_labels: { a: 'b' } }, storage: { remote_write: [{ url: 'x' }] } },
      overrides: {
        defaults: { metrics_generator: { processors: ['service-graphs'] }, compaction: { block_retention: '48h' } },
      },
      storage: { trace: { s3: { tags: { a: 'b' }, access_key: 'x', sse: { type: 'SSE-S3' } } } },
    };
    expect(unknownKeys(parseKeyTable(tempoKeys), usual)).toEqual([]);
    const hidden = {
      http_prefix: '',
      distributor: { ring: { instance_addr: 'x' } },
      limits_config: { ruler_alertmanager_config: { a: 1 } },
    };
    expect(unknownKeys(parseKeyTable(lokiKeys), hidden)).toEqual([]);
  });

  it('say which version they are of', () => {
    const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
    expect(read('loki-3.7.ts')).toContain('loki 3.7.6');
    expect(read('tempo-3.0.ts')).toContain('tempo 3.0.3');
  });
});
