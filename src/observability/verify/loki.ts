import { ask } from './program.ts';

/** Loki's HTTP API, as much of it as the proof needs: https://grafana.com/docs/loki/latest/reference/loki-http-api/ */
export interface LokiLine {
  readonly labels: Readonly<Record<string, string>>;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export async function pushLine(url: string, line: LokiLine, headers: Readonly<Record<string, string>>): Promise<void> {
  const json = { streams: [{ stream: line.labels, values: [[`${line.time}000000`, line.text]] }] };
  await ask(`${url}/loki/api/v1/push`, { method: 'POST', json, headers });
}

/** Whether a query by its labels finds the line. */
export async function findLine(
  url: string,
  line: LokiLine,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const selector = Object.entries(line.labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const query = new URLSearchParams({
    query: `{${selector.join(',')}}`,
    start: `${line.time - 60_000}000000`,
    end: `${line.time + 60_000}000000`,
    limit: '10',
  });
  const answer = await ask(`${url}/loki/api/v1/query_range?${query}`, { headers });
  return answer?.includes(line.text) ?? false;
}

/** Chunks go to the store, asynchronously; the index follows within about 15 minutes, or when Loki stops. */
export async function flush(url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  await ask(`${url}/flush`, { method: 'POST', headers });
}
