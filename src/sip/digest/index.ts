export {
  createDigestClient,
  type DigestClient,
  type DigestCredentials,
  type DigestHeader,
  type DigestTarget,
} from "./client.ts";
export { digestHa1, type DigestAlgorithm } from "./hash.ts";
export {
  createDigestServer,
  type DigestCounters,
  type DigestOutcome,
  type DigestSecret,
  type DigestServer,
  type DigestServerOptions,
} from "./server.ts";
