/** Moving Loki to another store without losing a day: a plan, its exact text, nothing written here. */
export { unifiedDiff } from './diff.ts';
export { MigrationError } from './errors.ts';
export { type LokiMigration, type LokiMigrationInput, planLokiMigration } from './loki.ts';
