export { addressList } from "./address-list.ts";
export { BoundedMap } from "./bounded-map.ts";
export { afterEvents, systemClock, type Clock, type Timer } from "./clock.ts";
export { dnPattern } from "./dn.ts";
export { FileWatch, type FileWatchOptions } from "./file-watch.ts";
export { TypedEvents, type EventMap } from "./events.ts";
export { Histogram, type HistogramCounts } from "./histogram.ts";
export { parseKernelDrops, readKernelDrops } from "./kernel-drops.ts";
export {
  LogLevels,
  logLevels,
  logRooms,
  type LevelInForce,
  type LogLevel,
  type LogRoom,
} from "./log-levels.ts";
export { limitedWarn } from "./limited-warn.ts";
export { createLogger, silentLogger, type Logger, type RootLogger } from "./logger.ts";
export { isOwnOrigin } from "./own-origin.ts";
export { randomId, systemRandom, type Random } from "./random.ts";
export { TokenBucket } from "./token-bucket.ts";
export { StateMachine, type Transitions } from "./state-machine.ts";
