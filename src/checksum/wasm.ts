/** The little of WebAssembly's binary format (Core 1.0, chapter 5) that our kernels need: one function, one memory. */

// The part of the global WebAssembly used here: neither ES2023's nor Node 20's declarations have it.
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: Record<string, Record<string, object>>,
  ) => { readonly exports: { readonly run?: unknown } };
};

/** A kernel's memory, in which its input lies, and its function. */
export interface Kernel<F> {
  readonly memory: ArrayBuffer;
  readonly run: F;
}

/** @param pages of 64 KiB, as the module was made with */
export function instantiate<F extends (...args: never[]) => unknown>(
  code: Uint8Array<ArrayBuffer>,
  pages: number,
  isKernel: (run: unknown) => run is F,
): Kernel<F> {
  const memory = new WebAssembly.Memory({ initial: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { m: { m: memory } });
  const { run } = exports;
  if (!isKernel(run)) throw new TypeError('the kernel exports no function');
  return { memory: memory.buffer, run };
}

/**
 * A module with one function, exported as `run`, over an imported memory.
 * @param code its locals and instructions
 */
export function moduleOf(
  parameters: readonly number[],
  results: readonly number[],
  code: readonly number[],
  pages: number,
): Uint8Array<ArrayBuffer> {
  const m = [1, 'm'.charCodeAt(0)];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters.length, ...parameters, results.length, ...results]), // one function type
    ...section(2, [1, ...m, ...m, 2, 0, pages]), // import the memory m.m
    ...section(3, [1, 0]), // one function
    ...section(7, [1, 3, ...Buffer.from('run'), 0, 0]), // export it
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

function section(id: number, bytes: readonly number[]): number[] {
  return [id, ...unsigned(bytes.length), ...bytes];
}

/** LEB128, for values below 2^31. */
export function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

export function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)];
}
