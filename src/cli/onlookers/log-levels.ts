import { isDeepStrictEqual } from "node:util";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";

/** A reload that changes `log` sets the levels; those set for a time run on to their end. */
export function openLogLevels({ live, surroundings: { log } }: GatewayRooms): Onlooker | undefined {
  if (!("levels" in log)) return undefined;
  const stop = live.events.on("changed", (next, previous) => {
    // Levels that somebody set stay unless the file has others.
    if (!isDeepStrictEqual(next.log, previous.log)) log.levels.configure(next.log.level, next.log.rooms);
  });
  return { close: stop };
}
