import fc from 'fast-check';
import { parseSettings } from "../../src/settings/index.js";
import { stackModel } from "../../src/stack/index.js";
/** @throws SettingsError when the settings refuse the environment */
export function modelOf(environment) {
    return stackModel(parseSettings({ environment }));
}
const label = fc.stringMatching(/^[a-z][a-z0-9-]{1,12}[a-z0-9]$/);
const endpoint = fc.oneof(fc.constantFrom({ S3_ENDPOINT: 'https://fsn1.your-objectstorage.com' }, { S3_ENDPOINT: 'hel1.your-objectstorage.com' }, { S3_ENDPOINT: 'https://s3.eu-central-1.amazonaws.com' }, { S3_ENDPOINT: 'http://minio:9000', S3_INSECURE: 'true' }, { S3_ENDPOINT: 'http://[::1]:9000', S3_INSECURE: 'true' }), fc.tuple(label, fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => ({
    S3_ENDPOINT: `https://${host}.example.com:${port}`,
})));
const s3 = fc
    .record({
    endpoint,
    region: fc.option(label, { nil: undefined }),
    pathStyle: fc.option(fc.constantFrom('true', 'false'), { nil: undefined }),
    secret: fc.stringMatching(/^[A-Za-z0-9+/]{24,40}$/),
})
    .map((drawn) => ({
    ...drawn.endpoint,
    S3_REGION: drawn.region,
    S3_FORCE_PATH_STYLE: drawn.pathStyle,
    S3_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    S3_SECRET_ACCESS_KEY: drawn.secret,
}));
const uses = fc
    .record({
    loki: label,
    tempo: label,
    shared: fc.boolean(),
    prefixed: fc.boolean(),
    slashes: fc.constantFrom('', '/', '//'),
    logs: fc.integer({ min: 24, max: 20_000 }),
    outage: fc.constantFrom('fail-closed', 'buffer', undefined),
})
    .map(({ loki, tempo, shared, prefixed, slashes, logs, outage }) => ({
    S3_BUCKET_LOKI: `${loki}-l`,
    S3_BUCKET_TEMPO: shared ? `${loki}-l` : `${tempo}-t`,
    S3_PREFIX_LOKI: prefixed ? `${slashes}logs-${loki}${slashes}` : undefined,
    S3_PREFIX_TEMPO: prefixed ? `${slashes}traces/${tempo}_x${slashes}` : undefined,
    RETENTION_LOGS: `${logs}h30m`,
    S3_OUTAGE_MODE: outage,
}));
/** Settings that are valid: with an S3 API and without, buckets shared and not, prefixes with slashes anywhere. */
export const anyEnvironment = fc
    .tuple(fc.oneof(s3, fc.constant({})), uses)
    .map(([connection, others]) => ({ ...connection, ...others }));
/** One to four periods, days rising, stores in any order. */
export const anyPeriods = fc
    .array(fc.constantFrom('s3', 'filesystem'), { minLength: 1, maxLength: 4 })
    .map(([first = 's3', ...rest]) => [
    { from: '2024-01-01', store: first },
    ...rest.map((store, index) => ({ from: `2026-0${index + 1}-15`, store })),
]);
