/**
 * Takes values before those before them are used, as many as fit: promises among them are then on their way.
 * @param room what those that wait may weigh together; one is taken however much it weighs
 */
export async function* ahead<T>(
  values: Iterable<T> | AsyncIterable<T>,
  room: number,
  weightOf: (value: T) => number = () => 1,
): AsyncGenerator<T> {
  const waiting: T[] = [];
  let weight = 0;
  for await (const value of values) {
    waiting.push(value);
    weight += weightOf(value);
    while (weight > room) {
      const first = waiting.shift();
      if (first === undefined) break;
      weight -= weightOf(first);
      yield first;
    }
  }
  yield* waiting;
}

/** A promise that is awaited in its turn: until then its failure must not count as unhandled. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
