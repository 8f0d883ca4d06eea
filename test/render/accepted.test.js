/** Every key that is rendered, for whatever settings, is one that the named version of the program accepts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alerts } from "../../src/observability/alerts.js";
import { dashboardQueries } from "../../src/observability/grafana/dashboard.js";
import { parseKeyTable, unknownKeys } from "../../src/observability/keys/accepted.js";
import { lokiKeys } from "../../src/observability/keys/loki-3.7.js";
import { tempoKeys } from "../../src/observability/keys/tempo-3.0.js";
import { renderLoki } from "../../src/observability/loki/render.js";
import { metricNames, metrics } from "../../src/observability/metrics.js";
import { renderTempo } from "../../src/observability/tempo/render.js";
import { anyEnvironment, anyPeriods, modelOf } from "./settings.js";
const loki = parseKeyTable(lokiKeys);
const tempo = parseKeyTable(tempoKeys);
describe('for any settings', () => {
    it('Loki 3.7 accepts every key, and its rules about values hold', () => {
        fc.assert(fc.property(anyEnvironment, anyPeriods, (environment, periods) => {
            const text = renderLoki(modelOf(environment), { major: 3, periods });
            const configuration = parse(text, { uniqueKeys: true });
            expect(unknownKeys(loki, configuration)).toEqual([]);
            expect(configuration).toMatchObject({
                storage_config: {
                    use_thanos_objstore: true,
                    object_store: { storage_prefix: expect.stringMatching(/^[0-9A-Za-z-]*$/) },
                },
                compactor: { retention_enabled: true, delete_request_store: expect.stringMatching(/^(?:s3|filesystem)$/) },
                schema_config: { configs: periods.map(({ from, store }) => ({ from, object_store: store })) },
                limits_config: { retention_period: expect.stringMatching(/^(?:\d+[hms])+$/) },
            });
        }));
    });
    it('names a store for every period, and no S3 store without one', () => {
        fc.assert(fc.property(anyEnvironment, anyPeriods, (environment, periods) => {
            const text = renderLoki(modelOf(environment), { major: 4, periods });
            const { storage_config: storage } = parse(text);
            expect(storage).not.toHaveProperty('use_thanos_objstore');
            for (const kind of ['s3', 'filesystem']) {
                expect(kind in storage.object_store).toBe(periods.some(({ store }) => store === kind));
            }
        }));
    });
    it('Tempo 3.0 accepts every key', () => {
        fc.assert(fc.property(anyEnvironment, fc.constantFrom('local', 's3'), (environment, backend) => {
            const configuration = parse(renderTempo(modelOf(environment), backend), { uniqueKeys: true });
            expect(unknownKeys(tempo, configuration)).toEqual([]);
            expect(configuration).toMatchObject({ storage: { trace: { backend, [backend]: expect.anything() } } });
        }));
    });
    it('both are told host and port without a scheme, plain http only for http://, and a region', () => {
        fc.assert(fc.property(anyEnvironment, (environment) => {
            const model = modelOf(environment);
            const periods = [{ from: '2024-01-01', store: 's3' }];
            const told = parse(renderLoki(model, { major: 3, periods: [...periods] })).storage_config.object_store.s3;
            const toldTempo = parse(renderTempo(model, 's3')).storage.trace.s3;
            for (const s3 of [told, toldTempo]) {
                expect(s3.endpoint).not.toMatch(/^$|\/|@/);
                expect(s3.endpoint).toBe(new URL(model.store.url).host);
                expect(s3.insecure).toBe(model.store.url.startsWith('http://'));
                expect(s3.region).toMatch(/^[A-Za-z0-9-]+$/);
            }
        }));
    });
    it('no key, and no variable that could expand to nothing, is in any configuration', () => {
        fc.assert(fc.property(anyEnvironment, anyPeriods, (environment, periods) => {
            const model = modelOf(environment);
            for (const text of [renderLoki(model, { major: 3, periods }), renderTempo(model, 's3')]) {
                expect(text).not.toContain('$');
                expect(text).not.toMatch(/access_key|secret_key|secret_access/);
                if (environment.S3_SECRET_ACCESS_KEY !== undefined)
                    expect(text).not.toContain(environment.S3_SECRET_ACCESS_KEY);
            }
        }));
    });
});
describe('alerts and dashboards', () => {
    const known = new Set(Object.values(metrics).flat());
    const model = modelOf({});
    it.each([...alerts(model).map(({ expression }) => expression), ...dashboardQueries])('%s names metrics that exist', (expression) => {
        const names = metricNames(expression);
        expect(names.length).toBeGreaterThan(0);
        expect(names.filter((name) => !known.has(name))).toEqual([]);
    });
    it('recognise a metric that does not exist', () => {
        expect(metricNames('sum by (a_b) (rate(loki_ingester_chunks_flush_errors_total{x_y="a_b"}[5m])) > 0')).toEqual([
            'loki_ingester_chunks_flush_errors_total',
        ]);
    });
    it('give every alert an id of its own, what it means and what to do', () => {
        const all = alerts(model);
        expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
        // Grafana's limit for a rule's uid.
        for (const { id } of all)
            expect(id).toMatch(/^[a-z-]{1,40}$/);
        for (const alert of all)
            expect([alert.summary, alert.advice].every((text) => text.length > 20)).toBe(true);
    });
});
