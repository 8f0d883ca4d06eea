/** What the requests of this process hold in memory, as far as clients decide how much that is. Bytes. */
let collected = 0;
let untaken = 0;

/** Of bodies that are collected whole: as declared, until they are there. */
export function bytesCollected(): number {
  return collected;
}

/** Of documents that clients have asked for and not taken yet. */
export function bytesUntaken(): number {
  return untaken;
}

/** Counts a body that is being collected until the promise settles. */
export async function countCollected<T>(bytes: number, collecting: Promise<T>): Promise<T> {
  collected += bytes;
  try {
    return await collecting;
  } finally {
    collected -= bytes;
  }
}

/** Counts a document that was handed to a connection; the answer is called once when it has left, or never will. */
export function countUntaken(bytes: number): () => void {
  untaken += bytes;
  return () => {
    untaken -= bytes;
  };
}
