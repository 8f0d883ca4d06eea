import type { StackModel } from './model.ts';

/** The nouns of `bucketwright render`. */
export const renderKinds = ['loki', 'tempo', 'compose', 'swarm', 'grafana'] as const;
export type RenderKind = (typeof renderKinds)[number];

/** One file that is the output of a pure renderer. */
export interface RenderedFile {
  readonly kind: RenderKind;
  /** Where it is kept, from the root of the project, with slashes. */
  readonly path: string;
  /** @param textOf the text of another rendered file, by its path: a Swarm config is named after what it holds */
  readonly render: (model: StackModel, textOf: (path: string) => string) => string;
}

/**
 * Renders every file.
 * @throws TypeError when a file asks for one that is not in the list, or two ask for each other: both are our mistake
 */
export function renderAll(files: readonly RenderedFile[], model: StackModel): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const underWay = new Set<string>();
  const textOf = (path: string): string => {
    const done = texts.get(path);
    if (done !== undefined) return done;
    const file = files.find((candidate) => candidate.path === path);
    if (file === undefined || underWay.has(path)) throw new TypeError(`${path} cannot be rendered`);
    underWay.add(path);
    const text = file.render(model, textOf);
    texts.set(path, text);
    return text;
  };
  for (const { path } of files) textOf(path);
  return texts;
}
