import type { Clock } from "./clock.ts";

/** Least level that is written, as pino names them, the quietest first. */
export const logLevels = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof logLevels)[number];

/** What a room's lines carry as `room`: each may have a level of its own. */
export const logRooms = [
  "admin",
  "b2bua",
  "cli",
  "media",
  "records",
  "registrar",
  "sip",
  "telemetry",
  "wrtc",
  "ws",
] as const;
export type LogRoom = (typeof logRooms)[number];

/** A level in force; `until`: ms since 1970-01-01 UTC at which it goes back, undefined: it stays. */
export interface LevelInForce {
  readonly level: LogLevel;
  readonly until: number | undefined;
}

const weights: Readonly<Record<LogLevel, number>> = {
  silent: Infinity,
  fatal: 60,
  error: 50,
  warn: 40,
  info: 30,
  debug: 20,
  trace: 10,
};

interface Setting {
  /** Undefined: as the general one. */
  standing: LogLevel | undefined;
  temporary:
    | {
        readonly level: LogLevel;
        /** By the monotonic clock, and the same by the wall clock. */
        readonly ends: number;
        readonly until: number;
      }
    | undefined;
}

/**
 * Which lines are written: one general level, and levels of rooms that win over it. A level may be set for a time; it
 * is looked at whenever a line is to be written, so that nothing has to fire for it to go back.
 */
export class LogLevels {
  readonly #clock: Clock;
  readonly #general: Setting;
  readonly #rooms = new Map<string, Setting>();

  constructor(level: LogLevel, clock: Clock) {
    this.#clock = clock;
    this.#general = { standing: level, temporary: undefined };
  }

  /** Whether a line of this weight (10 trace ... 60 fatal) is written. */
  allows(weight: number, room: string | undefined): boolean {
    const own = room === undefined ? undefined : this.#rooms.get(room);
    return weight >= weights[(own && this.#inForce(own)) ?? this.#inForce(this.#general) ?? "info"];
  }

  /** Of the rooms that have none of their own. */
  get general(): LevelInForce {
    return this.#show(this.#general) ?? { level: "info", until: undefined };
  }

  /** Those of their own, by room. */
  get rooms(): ReadonlyMap<LogRoom, LevelInForce> {
    const shown = new Map<LogRoom, LevelInForce>();
    for (const room of logRooms) {
      const setting = this.#rooms.get(room);
      const level = setting && this.#show(setting);
      if (level) shown.set(room, level);
    }
    return shown;
  }

  /** `forMs`: for that time, then back to what stands; left out: from now on. */
  set(level: LogLevel, { room, forMs }: { readonly room?: LogRoom; readonly forMs?: number } = {}): void {
    const setting = this.#setting(room);
    if (forMs === undefined) setting.standing = level;
    const ends = this.#clock.now() + (forMs ?? 0);
    const until = Math.round(this.#clock.wallClock() + (forMs ?? 0));
    setting.temporary = forMs === undefined ? undefined : { level, ends, until };
  }

  /** Takes a room's own level away. */
  reset(room: LogRoom): void {
    this.#rooms.delete(room);
  }

  /** What the configuration says; levels set for a time run on to their end. */
  configure(level: LogLevel, rooms: Readonly<Partial<Record<LogRoom, LogLevel | undefined>>>): void {
    this.#general.standing = level;
    for (const room of logRooms) {
      if (rooms[room] !== undefined || this.#rooms.has(room)) this.#setting(room).standing = rooms[room];
    }
  }

  #setting(room: LogRoom | undefined): Setting {
    if (room === undefined) return this.#general;
    const setting = this.#rooms.get(room) ?? { standing: undefined, temporary: undefined };
    this.#rooms.set(room, setting);
    return setting;
  }

  #inForce(setting: Setting): LogLevel | undefined {
    if (setting.temporary && setting.temporary.ends <= this.#clock.now()) setting.temporary = undefined;
    return setting.temporary?.level ?? setting.standing;
  }

  #show(setting: Setting): LevelInForce | undefined {
    const level = this.#inForce(setting);
    return level === undefined ? undefined : { level, until: setting.temporary?.until };
  }
}
