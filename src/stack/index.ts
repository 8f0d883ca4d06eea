/** What the files of the Loki and Tempo stack are rendered from. */
export { renderCredentialsFile } from './credentials.ts';
export { RenderError } from './errors.ts';
export { type ImageName, imageReference, images } from './images.ts';
export {
  goDuration,
  localStore,
  type StackModel,
  type StoreTarget,
  stackModel,
} from './model.ts';
export { type RenderedFile, type RenderKind, renderAll, renderKinds } from './rendered-file.ts';
export { document, indented, quoted, renderedBy } from './text.ts';
