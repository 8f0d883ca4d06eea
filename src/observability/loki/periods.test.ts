import { expect, it } from 'vitest';
import { parseSettings } from '../../settings/index.ts';
import { RenderError, stackModel } from '../../stack/index.ts';
import { refuseLostPeriods } from './periods.ts';
import { renderLoki, renderLokiS3 } from './render.ts';

const model = stackModel(parseSettings({ environment: {} }));
const migrated = renderLoki(model, {
  major: 3,
  periods: [
    { from: '2024-01-01', store: 's3' },
    { from: '2026-12-01', store: 'filesystem' },
  ],
});

it('a file with more schema periods is not rendered over: its logs would vanish from queries', () => {
  expect(() => refuseLostPeriods('f', migrated, renderLokiS3(model))).toThrow(RenderError);
});

it('the same periods, more of them, or no readable file before are no loss', () => {
  expect(() => refuseLostPeriods('f', renderLokiS3(model), renderLokiS3(model))).not.toThrow();
  expect(() => refuseLostPeriods('f', renderLokiS3(model), migrated)).not.toThrow();
  expect(() => refuseLostPeriods('f', 'server: [', renderLokiS3(model))).not.toThrow();
});
