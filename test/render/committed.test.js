import { describe, expect, it } from 'vitest';
import { deployFiles } from "../../src/deploy/files.js";
import { observabilityFiles } from "../../src/observability/files.js";
import { parseSettings } from "../../src/settings/index.js";
import { renderAll, stackModel } from "../../src/stack/index.js";
const files = [...observabilityFiles, ...deployFiles];
const texts = renderAll(files, stackModel(parseSettings({ environment: {} })));
describe('the committed files are what is rendered for the defaults', () => {
    it.each([...texts])('%s (`bucketwright render all --write` renders it anew)', async (path, text) => {
        await expect(text).toMatchFileSnapshot(`../../${path}`);
    });
});
