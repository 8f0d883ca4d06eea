export type { RequestContext } from './context.ts';
export { PolicyError } from './errors.ts';
export { evaluate, type Verdict } from './evaluate.ts';
export { explain, type StatementReport } from './explain.ts';
export type { Policy, PolicyRequest, Requester } from './model.ts';
export { MAX_POLICY_BYTES, type PolicyKind, parsePolicy } from './parse.ts';
export { normaliseKey } from './pattern.ts';
export { ROOT_ACCOUNT } from './principals.ts';
export { isPublic } from './public.ts';
