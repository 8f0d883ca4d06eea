import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseSettings } from '../settings/index.ts';
import { stackModel } from '../stack/index.ts';
import { deployFiles } from './files.ts';

const model = stackModel(parseSettings({ environment: {} }));

describe('the committed compose and stack files', () => {
  it.each(deployFiles)(
    '$path is what is rendered for the defaults (`bucketwright render --write` renders it anew)',
    async (file) => {
      const text = file.render(model);
      expect(() => parse(text, { uniqueKeys: true })).not.toThrow();
      await expect(text).toMatchFileSnapshot(`../../${file.path}`);
    },
  );
});
