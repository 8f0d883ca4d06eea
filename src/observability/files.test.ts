import { describe, expect, it } from 'vitest';
import { parseSettings } from '../settings/index.ts';
import { stackModel } from '../stack/index.ts';
import { observabilityFiles } from './files.ts';

const model = stackModel(parseSettings({ environment: {} }));

describe('the committed configuration files', () => {
  it.each(observabilityFiles)(
    '$path is what is rendered for the defaults (`bucketwright render --write` renders it anew)',
    async (file) => {
      await expect(file.render(model)).toMatchFileSnapshot(`../../${file.path}`);
    },
  );
});
