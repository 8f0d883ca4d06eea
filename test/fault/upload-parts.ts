import { answered, type LeanAnswer, type LeanClient } from './lean-client.ts';

/**
 * Begins a multipart upload and sends its parts.
 * @param target bucket and key, encoded
 * @returns what completes it
 */
export async function uploadParts(
  client: LeanClient,
  target: string,
  parts: readonly Buffer[],
): Promise<() => Promise<LeanAnswer>> {
  const begun = await answered(client.send('POST', `${target}?uploads=`), 200);
  const uploadId = /<UploadId>([^<]+)</.exec(begun.body.toString())?.[1] ?? '';
  let xml = '';
  for (const [index, bytes] of parts.entries()) {
    const number = index + 1;
    const put = await answered(client.send('PUT', `${target}?partNumber=${number}&uploadId=${uploadId}`, bytes), 200);
    xml += `<Part><PartNumber>${number}</PartNumber><ETag>${put.etag}</ETag></Part>`;
  }
  const body = Buffer.from(`<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`);
  return async () => {
    const completed = await answered(client.send('POST', `${target}?uploadId=${uploadId}`, body), 200);
    // 200 comes before the end: an error may stand in the document.
    if (!completed.body.includes('<CompleteMultipartUploadResult')) throw new Error(completed.body.toString());
    return completed;
  };
}
