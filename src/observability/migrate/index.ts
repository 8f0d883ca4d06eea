/** Moving Loki and Tempo to another store without losing a day: a plan, its exact text, nothing written here. */
export { unifiedDiff, withoutSecrets } from './diff.ts';
export { MigrationError } from './errors.ts';
export { type LokiMigration, type LokiMigrationInput, planLokiMigration } from './loki.ts';
export { giveToOwnerAbove } from './ownership.ts';
export { planTempoMigration, type TempoMigration, type TempoMigrationInput } from './tempo.ts';
export { type BlocksPlan, moveBlocks, planBlocks } from './tempo-blocks.ts';
