import { readFile } from 'node:fs/promises';
import { z } from 'zod';
const base64 = z.string().transform((text) => Buffer.from(text, 'base64'));
const exchange = z.object({
    n: z.number(),
    at: z.number(),
    method: z.enum(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: base64,
    status: z.number(),
    responseHeaders: z.record(z.string(), z.string()),
    responseBody: base64,
});
/** A recording's exchanges in the order the requests arrived. */
export async function readRecording(path) {
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.map((line) => exchange.parse(JSON.parse(line))).sort((a, b) => a.n - b.n);
}
export const bucketOf = ({ url }) => /^\/([^/?]+)/.exec(url)?.[1] ?? '';
