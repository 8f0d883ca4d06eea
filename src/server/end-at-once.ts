/** How long answers that are being written get, in milliseconds. */
const LAST_ANSWERS_MS = 500;

/**
 * Ends this process as a crash would, which the store is made for. An orderly exit may wait for ever: for a commit that
 * needs the thread that waits, or for a lock that lmdb has lost.
 */
export function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** The same, once the answers and log lines that are on their way have had a moment. */
export async function endSoon(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, LAST_ANSWERS_MS));
  endAtOnce();
}
