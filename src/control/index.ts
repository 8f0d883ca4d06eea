/** The artifact store's HTTP API for nodes. */
export { type ApiOptions, createArtifactApi } from './api.ts';
export { openApiDocument } from './openapi.ts';
export { newToken, parseTokens, type Token, tokenSchema } from './tokens.ts';
