import type { Connection } from '../../src/providers/index.ts';
import { parseSettings, type Settings } from '../../src/settings/index.ts';
import type { S3Endpoint } from '../support/endpoint.ts';

/** Settings as a bucketwright.yaml and the environment would give them. */
export function settingsFor(endpoint: S3Endpoint, profile: string, yaml: string): Settings {
  return parseSettings({
    environment: {
      S3_ENDPOINT: endpoint.url,
      S3_INSECURE: 'true',
      S3_REGION: endpoint.region,
      S3_PROVIDER: profile,
      S3_ACCESS_KEY_ID: endpoint.accessKeyId,
      S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
    },
    yaml: { path: 'bucketwright.yaml', text: yaml },
  });
}

/** A bucket with something of everything that the provider has; Loki's and Tempo's derive from `stack`. */
export function fullManifest(
  bucket: string,
  { provider: { features } }: Connection,
  locked = false,
  stack = bucket,
): string {
  const has = (feature: keyof typeof features) => features[feature] !== 'no';
  const sections: [boolean, string][] = [
    [has('versioning'), 'versioning: enabled'],
    [has('object-lock') && locked, 'objectLock: { mode: governance, days: 10 }'],
    [has('bucket-tagging'), 'tags: { team: media, tier: gold }'],
    [
      has('cors'),
      'cors: [{ origins: [https://a.example], methods: [GET, PUT], headers: [x-a], exposeHeaders: [etag], maxAge: 1h }]',
    ],
    [
      has('lifecycle'),
      `lifecycle:
      - { id: logs, prefix: logs/, expireAfter: 30d }
      - { id: old, noncurrentAfter: 10d }
      - { id: abort, abortUploadsAfter: 7d }
      - { id: dated, prefix: dated/, expireOn: 2030-01-01 }
      - { id: off, enabled: false, prefix: off/, expireAfter: 5d }
      - { id: markers, prefix: m/, expireDeleteMarkers: true }
${has('lifecycle-tags') ? '      - { id: tagged, prefix: tmp/, tags: { kind: scratch }, expireAfter: 3d }' : ''}`,
    ],
    [has('public-access-block'), 'publicAccessBlock: { blockPublicAcls: true, ignorePublicAcls: true }'],
    [
      has('bucket-policy'),
      `policy:
      Version: '2012-10-17'
      Statement:
        - { Sid: read, Effect: Allow, Principal: { AWS: 'arn:aws:iam:::user/p1002' }, Action: 's3:GetObject', Resource: 'arn:aws:s3:::${bucket}/shared/*' }
        - { Sid: keep, Effect: Deny, Principal: { AWS: 'arn:aws:iam:::user/p1002' }, Action: ['s3:DeleteObject', 's3:PutObject'], Resource: 'arn:aws:s3:::${bucket}/*' }
        - { Sid: near, Effect: Allow, Principal: { AWS: 'arn:aws:iam:::user/p1002' }, Action: 's3:ListBucket', Resource: 'arn:aws:s3:::${bucket}', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }`,
    ],
  ];
  const lines = sections.filter(([there]) => there).map(([, text]) => `    ${text}`);
  return `loki: { bucket: ${stack}-loki }\ntempo: { bucket: ${stack}-tempo }\nbuckets:\n  - name: ${bucket}\n${lines.join('\n')}\n`;
}
