import type { StoreTarget } from '../../stack/index.ts';
import type { Checklist } from './checklist.ts';
import { isVariable } from './configuration.ts';

/** What a program's file says about the S3 API, whatever its keys are called there. */
export interface ToldConnection {
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly insecure: string | undefined;
  readonly bucket: string | undefined;
  readonly prefix: string | undefined;
  readonly keys: readonly (string | undefined)[];
  /** Whether the program's client refuses an endpoint with a scheme. */
  readonly bareEndpoint: boolean;
}

/** What the settings want; undefined: the settings name no S3 API, so there is nothing to compare with. */
export interface WantedConnection {
  readonly store: StoreTarget;
  readonly bucket: string;
  readonly prefix: string;
}

export function checkConnection(list: Checklist, told: ToldConnection, wanted: WantedConnection | undefined): void {
  checkEndpoint(list, told, wanted?.store);
  list.check(
    'region',
    `region ${told.region}`,
    told.region !== undefined
      ? undefined
      : {
          status: 'warn',
          found: 'no region',
          why: 'the client asks the server for it first, a call that keys may not be allowed',
          advice: `set region${wanted === undefined ? '' : `: ${wanted.store.region}`}`,
        },
  );
  compare(list, 'bucket', told.bucket, wanted?.bucket, 'objects go to another bucket than the one that is verified');
  compare(list, 'prefix', told.prefix ?? '', wanted?.prefix, 'what is under the other prefix is in no query');
  const inline = told.keys.filter((key) => key !== undefined);
  const literal = inline.some((key) => key !== undefined && !isVariable(key));
  list.check(
    'credentials',
    'no keys in the file',
    inline.length === 0
      ? undefined
      : {
          status: literal ? 'fail' : 'warn',
          found: literal ? 'keys stand in the file' : 'keys are put into the file from the environment',
          why: literal
            ? 'whoever reads the file, a backup or a commit of it has the keys'
            : 'docker inspect shows the environment; an unset one leaves empty keys that the program accepts',
          advice: 'remove them and name an AWS credentials file in AWS_SHARED_CREDENTIALS_FILE',
        },
  );
}

function checkEndpoint(list: Checklist, told: ToldConnection, store: StoreTarget | undefined): void {
  const { endpoint, bareEndpoint } = told;
  if (endpoint === undefined) {
    const advice = `set endpoint${store === undefined ? '' : `: ${store.authority}`}`;
    list.check('endpoint', '', { found: 'no endpoint', why: 'requests go to AWS, or nowhere', advice });
    return;
  }
  if (isVariable(endpoint)) return;
  const bare = endpoint.replace(/^https?:\/\//, '');
  list.check(
    'endpoint',
    `endpoint ${endpoint}`,
    bareEndpoint && bare !== endpoint
      ? {
          found: `endpoint ${endpoint}`,
          why: 'the client exits at a scheme',
          advice: `endpoint: ${bare}, and insecure: ${endpoint.startsWith('http:')}`,
        }
      : undefined,
  );
  compare(list, 'endpoint-host', bare, store?.authority, 'the settings, and what verifies them, mean another server');
  if (store === undefined || (told.insecure !== undefined && isVariable(told.insecure))) return;
  const plain = told.insecure === 'true';
  list.check(
    'insecure',
    `insecure: ${plain}`,
    plain === store.insecure
      ? undefined
      : {
          found: `insecure: ${plain}, while the settings say ${store.url}`,
          why: plain
            ? 'logs and traces cross the network in the clear'
            : 'TLS to a server that speaks plain http fails',
          advice: `insecure: ${store.insecure}`,
        },
  );
}

function compare(
  list: Checklist,
  id: string,
  found: string | undefined,
  wanted: string | undefined,
  why: string,
): void {
  if (wanted === undefined || (found !== undefined && isVariable(found))) return;
  const show = (text: string | undefined) => (text === undefined || text === '' ? 'none' : text);
  list.check(
    id,
    `${id} ${show(found)}`,
    found === wanted
      ? undefined
      : {
          found: `${id} ${show(found)}`,
          expected: show(wanted),
          why,
          advice: `make it ${show(wanted)}, or change the settings`,
        },
  );
}
