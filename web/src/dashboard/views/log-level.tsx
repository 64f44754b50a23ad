import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { LogLevel } from "../api/contract.ts";
import { At } from "../parts/bits.tsx";
import { logLevels, logRooms } from "../store/acts.ts";
import type { ViewProps } from "./props.ts";

/** `info, sip debug until 03:20:00`. */
export function LogLevelsShown({ levels }: { readonly levels: readonly LogLevel[] }): JSX.Element {
  return (
    <span data-testid="log-levels">
      {levels.map(({ level, room, until }, index) => (
        <span key={room}>
          {index > 0 && ", "}
          {room !== null && `${room} `}
          {level}
          {until !== null && (
            <>
              {" until "}
              <At iso={until} />
            </>
          )}
        </span>
      ))}
    </span>
  );
}

const times: readonly (readonly [minutes: number, words: string])[] = [
  [15, "for 15 minutes"],
  [60, "for an hour"],
  [0, "until changed again"],
];
const asOthers = "as the others";

/** A level, of whom, for how long: a forgotten debug goes back by itself unless it is told to stay. */
export function LogLevelChoice({
  dashboard,
  levels,
}: Pick<ViewProps, "dashboard"> & { readonly levels: readonly LogLevel[] }): JSX.Element {
  const [room, setRoom] = useState("");
  const [minutes, setMinutes] = useState(15);
  const own = levels.find((one) => (one.room ?? "") === room);
  const inForce = own?.level ?? asOthers;
  const change = (level: string): void => {
    const wish =
      level === asOthers ? { level: null } : { level, ...(minutes > 0 ? { for_minutes: minutes } : {}) };
    dashboard.ask(dashboard.acts.logLevel({ ...wish, ...(room === "" ? {} : { room }) }));
  };
  return (
    <>
      <label class="inline">
        Log of{" "}
        <select value={room} onChange={({ currentTarget }) => setRoom(currentTarget.value)}>
          <option value="">all</option>
          {logRooms.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <label class="inline">
        changes{" "}
        <select value={minutes} onChange={({ currentTarget }) => setMinutes(Number(currentTarget.value))}>
          {times.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label class="inline">
        Log level{" "}
        <select
          value={inForce}
          onChange={({ currentTarget }) => {
            const { value } = currentTarget;
            // What is chosen shows when the gateway says so.
            currentTarget.value = inForce;
            change(value);
          }}
        >
          {[...new Set([...(room === "" ? [] : [asOthers]), ...logLevels, inForce])].map((level) => (
            <option key={level}>{level}</option>
          ))}
        </select>
      </label>
    </>
  );
}
