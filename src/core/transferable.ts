/** Memory can change threads only as a whole: a piece of a larger allocation (a decoded chunk, a pooled one) is copied. */
export function transferable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer: memory } = bytes;
  const whole = memory instanceof ArrayBuffer && memory.byteLength === bytes.byteLength;
  return whole ? new Uint8Array(memory) : new Uint8Array(bytes);
}
