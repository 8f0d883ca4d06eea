import type { Index } from './database.ts';

/**
 * One LMDB transaction; durable when it resolves. A `change` that throws does not undo what it wrote before.
 * @throws the system's error: lmdb rejects with a general one, which carries a promise that is rejected with the cause
 */
export async function transact<T>(index: Index, change: () => T): Promise<T> {
  try {
    return await index.root.transaction(change);
  } catch (error) {
    throw await systemFailure(error);
  }
}

async function systemFailure(error: unknown): Promise<Error> {
  if (!(error instanceof Error)) return new Error(String(error));
  if (!('commitError' in error) || !(error.commitError instanceof Promise)) return error;
  return error.commitError.then(
    () => error,
    (cause: unknown) => (cause instanceof Error ? cause : error),
  );
}
