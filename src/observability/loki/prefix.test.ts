import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseSettings } from '../../settings/index.ts';
import { stackModel } from '../../stack/index.ts';
import { prefixNote } from './prefix.ts';
import { renderLokiFilesystem, renderLokiS3 } from './render.ts';

const modelOf = (environment: Readonly<Record<string, string>>) => stackModel(parseSettings({ environment }));

it('whatever the settings, the disk and S3 have the same prefix: switching hides nothing', () => {
  const shared = { S3_BUCKET_LOKI: 'all-in-one', S3_BUCKET_TEMPO: 'all-in-one' };
  const prefix = fc.stringMatching(/^[A-Za-z0-9-]{0,12}$/);
  fc.assert(
    fc.property(prefix, fc.boolean(), (name, sharing) => {
      fc.pre(!(sharing && name === 'tempo'));
      const model = modelOf({ S3_PREFIX_LOKI: name, ...(sharing ? shared : {}) });
      expect(prefixNote('f', renderLokiFilesystem(model), renderLokiS3(model))).toBeUndefined();
      expect(renderLokiS3(model)).toContain(`storage_prefix: "${name || (sharing ? 'loki' : '')}"`);
    }),
  );
});

it('a changed prefix is told, with both', () => {
  const note = prefixNote(
    'f',
    renderLokiFilesystem(modelOf({})),
    renderLokiFilesystem(modelOf({ S3_PREFIX_LOKI: 'prod' })),
  );
  expect(note).toContain('storage_prefix was "", is "prod"');
});

it('says nothing of files that are no YAML, save that they have no prefix', () => {
  fc.assert(fc.property(fc.string(), (text) => prefixNote('f', text, '') === undefined));
});
