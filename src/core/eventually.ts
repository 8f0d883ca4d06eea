/** A value that is there, or will be. Requests that need nothing but the index are answered without waiting at all. */
export type Eventually<T> = T | Promise<T>;

/** Goes on with a value: at once when it is there. */
export function after<T, R>(value: Eventually<T>, next: (value: T) => Eventually<R>): Eventually<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
