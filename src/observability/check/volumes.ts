import type { Finding } from '../../core/finding.ts';
import { isVariable, listAt, mapAt, textAt } from './configuration.ts';
import { yamlValue } from './yaml.ts';

/** The directories that must outlive a container, by what the image's name tells. */
const needs = [
  {
    program: 'loki',
    image: /(?:^|\/)loki(?::|@|$)/,
    directory: '/loki',
    lost: 'the write-ahead log: up to two hours of logs',
  },
  {
    program: 'tempo',
    image: /(?:^|\/)tempo(?::|@|$)/,
    directory: '/var/tempo',
    lost: 'the live store: traces in no block yet',
  },
] as const;

/** By program: what its configuration keeps where. Default: what the rendered ones have. */
export type Directories = Readonly<Partial<Record<'loki' | 'tempo', readonly string[]>>>;

/** Whether the services of a compose or stack file keep Loki's and Tempo's state on volumes. */
export function checkVolumes(subject: string, text: string, directories: Directories = {}): Finding[] {
  const file = yamlValue(text);
  const services = mapAt(file, 'services');
  if (services === undefined) {
    const advice = 'give a compose or stack file';
    return [{ id: 'volumes', status: 'fail', subject, found: 'no services in this file', advice }];
  }
  return Object.entries(services).flatMap(([name, service]): Finding[] => {
    const image = (textAt(service, 'image') ?? '').replace(/^\$\{\w+:-([^}]*)\}$/, '$1');
    const need = needs.find((candidate) => candidate.image.test(image));
    if (need === undefined) return [];
    const lasting = targets(service, file).filter((mount) => mount.lasting);
    // What is relative or a variable is told beside the configuration.
    const told = (directories[need.program] ?? [need.directory]).filter((path) => path.startsWith('/'));
    if (told.length === 0) return [];
    const bare = told.filter((path) => !isVariable(path) && !lasting.some(({ target }) => within(path, target)));
    const base = { id: `${need.program}-volume`, subject: `${subject}: ${name}` };
    if (bare.length === 0) {
      return [{ ...base, status: 'ok', found: `${told.join(', ')} ${told.length > 1 ? 'are' : 'is'} on a volume` }];
    }
    return [
      {
        ...base,
        status: 'fail',
        found: `nothing lasting is mounted on ${bare.join(', ')}`,
        why: `a new container loses ${need.lost}`,
        advice: `volumes: [${need.program}-data:${need.directory}], or where the configuration has its directories`,
      },
    ];
  });
}

const within = (directory: string, mount: string) => directory === mount || directory.startsWith(`${mount}/`);

function targets(service: unknown, file: unknown): { readonly target: string; readonly lasting: boolean }[] {
  return (listAt(service, 'volumes') ?? []).map((volume) => {
    if (typeof volume !== 'string') {
      const lasting = textAt(volume, 'type') !== 'tmpfs' && !inMemory(file, textAt(volume, 'source'));
      return { target: textAt(volume, 'target') ?? '', lasting };
    }
    const parts = volume.replace(/\$\{[^}]*\}/g, 'x').split(':');
    // A lone path is an anonymous volume: the next container gets a new one.
    const lasting = parts.length > 1 && !inMemory(file, parts[0]);
    return { target: (parts[1] ?? parts[0] ?? '').replace(/\/$/, ''), lasting };
  });
}

/** A named volume may be a tmpfs under another name. */
const inMemory = (file: unknown, volume: string | undefined): boolean =>
  textAt(mapAt(file, 'volumes')?.[volume ?? ''], 'driver_opts.type') === 'tmpfs';
