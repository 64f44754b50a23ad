export * from "./contract.ts";
export { createMediaPool, type MediaPoolDependencies } from "./pool/pool.ts";
