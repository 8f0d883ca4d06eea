import type { Finding } from '../../core/finding.ts';
import { listAt, mapAt, textAt } from './configuration.ts';
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

/** Whether the services of a compose or stack file keep Loki's and Tempo's state on volumes. */
export function checkVolumes(subject: string, text: string): Finding[] {
  const services = mapAt(yamlValue(text), 'services');
  if (services === undefined) {
    const advice = 'give a compose or stack file';
    return [{ id: 'volumes', status: 'fail', subject, found: 'no services in this file', advice }];
  }
  return Object.entries(services).flatMap(([name, service]): Finding[] => {
    const image = (textAt(service, 'image') ?? '').replace(/^\$\{\w+:-([^}]*)\}$/, '$1');
    const need = needs.find((candidate) => candidate.image.test(image));
    if (need === undefined) return [];
    const mounted = targets(service).some(({ target, lasting }) => lasting && within(need.directory, target));
    const base = { id: `${need.program}-volume`, subject: `${subject}: ${name}` };
    if (mounted) return [{ ...base, status: 'ok', found: `${need.directory} is on a volume` }];
    return [
      {
        ...base,
        status: 'fail',
        found: `nothing lasting is mounted on ${need.directory}`,
        why: `a new container loses ${need.lost}`,
        advice: `volumes: [${need.program}-data:${need.directory}], or where the configuration has its directories`,
      },
    ];
  });
}

const within = (directory: string, mount: string) => directory === mount || directory.startsWith(`${mount}/`);

function targets(service: unknown): { readonly target: string; readonly lasting: boolean }[] {
  return (listAt(service, 'volumes') ?? []).map((volume) => {
    if (typeof volume !== 'string') {
      return { target: textAt(volume, 'target') ?? '', lasting: textAt(volume, 'type') !== 'tmpfs' };
    }
    const parts = volume.replace(/\$\{[^}]*\}/g, 'x').split(':');
    // A lone path is an anonymous volume: the next container gets a new one.
    return { target: (parts[1] ?? parts[0] ?? '').replace(/\/$/, ''), lasting: parts.length > 1 };
  });
}
