/** The artifact store's HTTP API for nodes. */
export { createArtifactApi } from './api.ts';
export { type ApiClient, createApiClient, type Identity } from './api-client.ts';
export { ApiError } from './api-error.ts';
export { openApiDocument } from './openapi.ts';
export type { ApiOptions } from './options.ts';
export { newToken, parseTokens, type Token, tokenSchema } from './tokens.ts';
