import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseSettings } from '../../settings/index.ts';
import { stackModel } from '../../stack/index.ts';
import { renderLoki, renderLokiS3 } from '../loki/render.ts';
import { renderTempo } from '../tempo/render.ts';
import { differences, lokiStore, tempoStore } from './effective.ts';
import { counter } from './program.ts';

const environment = { S3_BUCKET_LOKI: 'acme-logs', S3_PREFIX_LOKI: 'prod', S3_PREFIX_TEMPO: 'a/b' };
const settings = parseSettings({ environment });
const model = stackModel(settings);
const now = Date.parse('2026-06-01T12:00:00Z');

it('reads the store of the period that holds today, not of one to come', () => {
  const periods = [
    { from: '2024-01-01', store: 'filesystem' },
    { from: '2026-06-02', store: 's3' },
  ] as const;
  const text = renderLoki(model, { major: 3, periods });
  expect(lokiStore(text, now)).toMatchObject({ kind: 'filesystem', prefix: 'prod' });
  expect(lokiStore(text, now + 86_400_000)).toMatchObject({ kind: 's3', bucket: 'acme-logs', prefix: 'prod' });
  // as Tempo 3.0.3 answers, with a heading
  const answered = `GET /status/config\n---\n${renderTempo(model, 's3')}`;
  expect(tempoStore(answered)).toMatchObject({ kind: 's3', bucket: 'cloudlysis-tempo', prefix: 'a/b' });
});

it('says each thing that differs, and the kind of store alone where that does', () => {
  const store = lokiStore(renderLokiS3(model), now);
  const other = { bucket: 'other', prefix: 'x/', prefixName: 'x', explicit: true };
  expect(differences(store, undefined, settings.buckets.loki)).toHaveLength(1);
  const disk = { ...store, kind: 'filesystem' };
  expect(differences(disk, undefined, other)).toEqual([]);
});

it('reads any text without throwing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(lokiStore(text, now).bucket).toBe('');
      expect(tempoStore(text).bucket).toBe('');
      expect(counter(text, 'some_metric_total')).toBe(0);
    }),
  );
});

it('sums a counter over the series that are meant', () => {
  const page =
    '# HELP a_total x\na_total{op="upload",b="1"} 2\na_total{op="get"} 5\na_total{op="upload",b="2"} 1e1\na_total_more 7\n';
  expect(counter(page, 'a_total', 'op="upload"')).toBe(12);
  expect(counter(page, 'a_total')).toBe(17);
  expect(counter(page, 'b_total')).toBe(0);
});
