import { ask } from './program.ts';

/** One span, as the proof sends and looks for it. */
export interface Trace {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** 16 hexadecimal digits. */
  readonly span: string;
  /** Unlike any other: a look-up is judged by it. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** OTLP over HTTP with JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export async function pushTrace(otlp: string, trace: Trace, headers: Readonly<Record<string, string>>): Promise<void> {
  const json = {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'bucketwright-verify' } }] },
        scopeSpans: [
          {
            scope: { name: 'bucketwright' },
            spans: [
              {
                traceId: trace.id,
                spanId: trace.span,
                name: trace.name,
                kind: 1,
                startTimeUnixNano: `${trace.time - 10}000000`,
                endTimeUnixNano: `${trace.time}000000`,
              },
            ],
          },
        ],
      },
    ],
  };
  await ask(`${otlp}/v1/traces`, { method: 'POST', json, headers });
}

/**
 * Whether Tempo finds the trace by its id.
 * @param where `blocks`: only in blocks of the store, not in what the live store still holds
 */
export async function findTrace(
  url: string,
  trace: Trace,
  where: 'anywhere' | 'blocks',
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  // The query front end asks both whatever the mode; a single process has the querier's own path beside it.
  const path = where === 'blocks' ? '/querier/api/v2/traces' : '/api/v2/traces';
  const mode = where === 'blocks' ? '?mode=blocks' : '';
  const answer = await ask(`${url}${path}/${trace.id}${mode}`, { headers });
  return answer?.includes(trace.name) ?? false;
}
