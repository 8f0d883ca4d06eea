import { setFlagsFromString } from 'node:v8';

/**
 * Ends folded allocations in code that is compiled from now on, for the whole process: V8's compiler folds them across a
 * call that may collect garbage, and the process then dies of SIGSEGV (docs/decisions/0142-no-folded-allocations.md).
 */
export function foldNoAllocations(): void {
  setFlagsFromString('--no-turbo-allocation-folding');
}
