import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';

/** A tenant as it is written. */
export interface TenantEntry {
  readonly name: string;
  readonly bucket?: string;
  readonly prefixes?: readonly { readonly bucket: string; readonly prefix: string }[];
  readonly principals?: readonly string[];
  /** Such as `50GiB`. */
  readonly quota?: string;
}

export type TenantEdit =
  | { readonly kind: 'add'; readonly entry: TenantEntry }
  | { readonly kind: 'suspend'; readonly name: string; readonly suspended: boolean }
  | { readonly kind: 'principals'; readonly name: string; readonly principals: readonly string[] }
  | { readonly kind: 'remove'; readonly name: string };

/**
 * One change of the list `tenants` in the text of a bucketwright.yaml; comments and everything else stay as they are.
 * @returns undefined where the tenant does not stand in the file's own list: in an environment's part, or nowhere
 */
export function editTenants(text: string, edit: TenantEdit): string | undefined {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return undefined;
  if (edit.kind === 'add') {
    const node = document.createNode(edit.entry);
    const list = document.contents === null ? undefined : document.get('tenants');
    if (isSeq(list)) list.add(node);
    else document.set('tenants', document.createNode([edit.entry]));
    return write(document);
  }
  const list = document.contents === null ? undefined : document.get('tenants');
  if (!isSeq(list)) return undefined;
  const index = list.items.findIndex((item) => isMap(item) && item.get('name') === edit.name);
  const entry = list.items[index];
  if (!isMap(entry)) return undefined;
  change(document, list.items, index, entry, edit);
  return write(document);
}

function change(
  document: Document,
  items: unknown[],
  index: number,
  entry: YAMLMap,
  edit: Exclude<TenantEdit, { kind: 'add' }>,
): void {
  switch (edit.kind) {
    case 'suspend':
      if (edit.suspended) entry.set('suspended', true);
      else entry.delete('suspended');
      return;
    case 'principals':
      entry.set('principals', document.createNode([...edit.principals]));
      return;
    case 'remove':
      items.splice(index, 1);
      if (items.length === 0) document.delete('tenants');
      return;
  }
}

const write = (document: Document): string => document.toString({ lineWidth: 0 });
