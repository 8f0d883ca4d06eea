import type { BodyReader } from '../body.ts';
import { rawBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { boundaryOf, type Form, readForm } from './multipart.ts';

export interface PostedForm extends Form {
  /** The largest file, in bytes. */
  readonly maxBytes: number;
}

/** A browser's form, read up to its file. */
export const formBody: BodyReader<PostedForm> = {
  kind: 'stream',
  async read(incoming) {
    const boundary = boundaryOf(incoming.headers['content-type']);
    if (boundary === undefined) {
      throw new S3Error('PreconditionFailed', undefined, {
        elements: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
      });
    }
    const form = await readForm(rawBody(incoming), boundary);
    return { ...form, maxBytes: incoming.limits.objectBytes };
  },
};
