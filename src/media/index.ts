export {
  captureLimits,
  CaptureRefusedError,
  type CaptureOptions,
  type CaptureRefusal,
  type CaptureResult,
  type RunningCapture,
} from "./capture/contract.ts";
export * from "./contract.ts";
export { createMediaPool, type MediaPoolDependencies } from "./pool/pool.ts";
export { encodeStun, xorMappedAddress, type StunAttribute } from "./ice/index.ts";
