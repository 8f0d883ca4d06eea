/** How well keys are kept: strength, age, files, copies in configuration, reach. */
export { type CredentialsInput, checkCredentials } from './check.ts';
