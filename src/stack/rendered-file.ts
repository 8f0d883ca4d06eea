import type { StackModel } from './model.ts';

/** The nouns of `bucketwright render`. */
export const renderKinds = ['loki', 'tempo', 'compose', 'swarm', 'grafana'] as const;
export type RenderKind = (typeof renderKinds)[number];

/** One file that is the output of a pure renderer. */
export interface RenderedFile {
  readonly kind: RenderKind;
  /** Where it is kept, from the root of the project, with slashes. */
  readonly path: string;
  readonly render: (model: StackModel) => string;
}
