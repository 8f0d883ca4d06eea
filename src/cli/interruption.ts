export interface Interruption {
  /** Begin nothing new. */
  readonly stop: AbortSignal;
  /** Stop at once. */
  readonly abort: AbortSignal;
  /** Signals do again what they do by default. */
  release(): void;
}

/** The first Ctrl-C lets what is under way end, the second stops it, the third is the system's. */
export function interruption(say: (text: string) => void): Interruption {
  const [stop, abort] = [new AbortController(), new AbortController()];
  const onSignal = () => {
    if (!stop.signal.aborted) {
      stop.abort();
      return say('finishing what is under way; once more to stop at once');
    }
    abort.abort();
    release();
  };
  const release = () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { stop: stop.signal, abort: abort.signal, release };
}
