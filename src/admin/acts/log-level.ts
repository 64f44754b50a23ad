import { logLevels, logRooms, type LevelInForce, type LogLevels, type LogRoom } from "../../core/index.ts";
import type { LogLevelStatus } from "../status/contract.ts";
import type { Act, ActResult } from "./audited.ts";

/** A week: what is to stay longer belongs in the configuration. */
const longestMinutes = 10_080;

/**
 * Changes the level of a room, or of all that have none of their own: body `{level, room?, for_minutes?}`. Level null
 * takes a room's own away.
 */
export function logLevelAct(levels: LogLevels | undefined, body: Readonly<Record<string, unknown>>): Act {
  const { level, room, for_minutes: minutes } = body;
  const words = [
    typeof room === "string" ? `${room}:` : "",
    level === null ? "as the others" : typeof level === "string" ? level : "",
    typeof minutes === "number" ? `for ${minutes} minutes` : "",
  ];
  const target = words.filter((word) => word !== "").join(" ");
  return { name: "log level", target: target === "" ? null : target, run: () => change(levels, body) };
}

function change(
  levels: LogLevels | undefined,
  { level: wanted, room: named, for_minutes: minutes }: Readonly<Record<string, unknown>>,
): ActResult {
  const room = logRooms.find((one) => one === named);
  if (named !== undefined && named !== null && room === undefined)
    return refused(`room is not one of ${logRooms.join(", ")}`);
  if (!levels) return { status: 409, body: { error: "this gateway's log has no level that can be changed" } };
  if (wanted === null && room !== undefined && minutes === undefined) {
    levels.reset(room);
    return { status: 200, body: showLevel(room, levels.general) };
  }
  const level = logLevels.find((one) => one === wanted);
  if (level === undefined) return refused(`level is not one of ${logLevels.join(", ")}`);
  const sound = typeof minutes === "number" && minutes > 0 && minutes <= longestMinutes;
  if (minutes !== undefined && !sound)
    return refused(`for_minutes is not a number of minutes up to ${longestMinutes}`);
  levels.set(level, { ...(room ? { room } : {}), ...(sound ? { forMs: minutes * 60_000 } : {}) });
  const inForce = room === undefined ? levels.general : levels.rooms.get(room);
  return { status: 200, body: showLevel(room, inForce ?? levels.general) };
}

function refused(error: string): ActResult {
  return { status: 400, body: { error } };
}

/** As the dashboard and the API tell it; room null: those that have none of their own. */
function showLevel(room: LogRoom | undefined, { level, until }: LevelInForce) {
  return {
    level,
    room: room ?? null,
    until: until === undefined ? null : new Date(until).toISOString(),
  } satisfies LogLevelStatus;
}

/** All levels in force: the general one first. */
export function showLevels(levels: LogLevels): LogLevelStatus[] {
  const own = Array.from(levels.rooms, ([room, inForce]) => showLevel(room, inForce));
  return [showLevel(undefined, levels.general), ...own];
}
