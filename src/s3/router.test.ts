import { expect, it } from 'vitest';
import { operations } from './operations/index.ts';
import { parseQuery } from './query.ts';
import { compileRoutes } from './router.ts';

const name = (list: typeof operations, method: string, scope: 'bucket' | 'object', query = '', headers = {}) => {
  const match = compileRoutes(list)(method, scope, parseQuery(query), headers);
  return 'operation' in match ? match.operation.name : match.refuse;
};

it('prefers the more specific route, whatever the order of the list', () => {
  const copy = { 'x-amz-copy-source': 'b/k' };
  for (const list of [operations, operations.toReversed()]) {
    expect(name(list, 'GET', 'bucket')).toBe('ListObjects');
    expect(name(list, 'GET', 'bucket', 'list-type=2')).toBe('ListObjectsV2');
    expect(name(list, 'GET', 'bucket', 'uploads&prefix=a')).toBe('ListMultipartUploads');
    expect(name(list, 'PUT', 'object')).toBe('PutObject');
    expect(name(list, 'PUT', 'object', '', copy)).toBe('CopyObject');
    expect(name(list, 'PUT', 'object', 'partNumber=1&uploadId=u')).toBe('UploadPart');
    expect(name(list, 'PUT', 'object', 'partNumber=1&uploadId=u', copy)).toBe('UploadPartCopy');
    expect(name(list, 'DELETE', 'object', 'uploadId=u')).toBe('AbortMultipartUpload');
    expect(name(list, 'DELETE', 'object', 'uploadId=u&acl')).toBe('NotImplemented');
    expect(name(list, 'PATCH', 'object')).toBe('MethodNotAllowed');
  }
});

it('refuses two operations that match the same requests', () => {
  expect(() => compileRoutes([...operations, ...operations.slice(0, 1)])).toThrow('match the same requests');
});

it('ignores signing parameters', () => {
  expect(name(operations, 'PUT', 'object', 'X-Amz-Signature=a&X-Amz-Date=b&x-id=PutObject')).toBe('PutObject');
});
