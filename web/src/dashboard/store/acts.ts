import type { AdminApi, Answer, LogLevelWish } from "../api/client.ts";
import type { Agent, Ban, Call } from "../api/contract.ts";

/** Something an engineer does to the gateway. */
export interface Act {
  /** `Hang up`; also the button that confirms it. */
  readonly name: string;
  /** Asked before it is done; left out where it hurts nobody. */
  readonly question?: string;
  /** Does it, and tells what came of it. */
  readonly run: () => Promise<Outcome>;
}

export interface Outcome {
  readonly done: boolean;
  readonly text: string;
}

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;
/** Whose lines a level may be set of (`room` in them); the gateway knows no others. */
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

/** Who operates, by the API. */
export class Acts {
  readonly #api: AdminApi;
  /** A capture of this call goes to this file. */
  readonly #onCapture: (id: string, file: string) => void;

  constructor(api: AdminApi, onCapture: (id: string, file: string) => void) {
    this.#api = api;
    this.#onCapture = onCapture;
  }

  hangUp({ id, dn, far_number }: Pick<Call, "id" | "dn" | "far_number">): Act {
    return {
      name: "Hang up",
      question: `End the call of ${dn} with ${far_number}? Both hear it end at once.`,
      run: () =>
        told(
          "Hanging up",
          this.#api.hangUp(id),
          () => `The call of ${dn} with ${far_number} is being ended.`,
        ),
    };
  }

  signOut({ dn, calls }: Agent): Act {
    const lost = calls.length === 0 ? "" : ` The call of ${dn} goes on.`;
    return {
      name: "Sign out",
      question: `Sign ${dn} out?${lost} The page of the agent has to sign in again before it takes further calls.`,
      run: () => told("Signing out", this.#api.signOut(dn), () => `${dn} is signed out.`),
    };
  }

  drain(draining: boolean, calls: number): Act {
    const running = calls === 1 ? "1 call goes on" : `${calls} calls go on`;
    return {
      name: draining ? "Drain" : "Take calls again",
      ...(draining
        ? {
            question: `Take no new calls? ${running} to their end; new ones are refused until you undo this.`,
          }
        : {}),
      run: () =>
        told(draining ? "Draining" : "Undraining", this.#api.drain(draining), (value) =>
          value.draining
            ? `No new calls are taken; ${value.calls} ${value.calls === 1 ? "runs" : "run"} on.`
            : "New calls are taken again.",
        ),
    };
  }

  /** One ban or, left out, all; `after` is told when it is done. */
  liftBans(ban: Ban | undefined, after: () => Promise<void>): Act {
    const filter: Record<string, string> = {};
    if (ban?.address) filter["address"] = ban.address;
    if (ban?.dn) filter["dn"] = ban.dn;
    return {
      name: ban ? "Clear" : "Clear all",
      ...(ban ? {} : { question: "Let all in again? Who guesses at passwords may go on at once." }),
      run: async () => {
        const outcome = await told("Clearing", this.#api.liftBans(filter), ({ lifted }) =>
          lifted === 1 ? "1 ban is lifted." : `${lifted} bans are lifted.`,
        );
        await after();
        return outcome;
      },
    };
  }

  logLevel(wish: LogLevelWish): Act {
    const { level, room, for_minutes: minutes } = wish;
    const talks = level === "trace" || level === "debug";
    const whose = room === undefined ? "" : ` of ${room}`;
    const time = minutes === undefined ? "until it is changed again" : `for ${minutes} minutes`;
    return {
      name: level === null ? `Log ${room ?? ""} as the others` : `Log ${level}`,
      ...(talks ? { question: `Log${whose} at ${level} ${time}? That is much text on a busy gateway.` } : {}),
      run: () =>
        told(
          "Changing the log level",
          this.#api.logLevel(wish),
          (value) => `Logging${whose} at ${value.level}.`,
        ),
    };
  }

  reloadCertificate(): Act {
    return {
      name: "Reload certificate",
      run: () =>
        told(
          "Reloading the certificate",
          this.#api.reloadCertificate(),
          ({ subject, days_left }) => `Certificate of ${subject}, ${days_left} days left.`,
        ),
    };
  }

  startCapture(id: string): Act {
    return {
      name: "Start capture",
      run: () =>
        told("Starting the capture", this.#api.startCapture(id), ({ file, seconds }) => {
          this.#onCapture(id, file);
          return `Capturing for ${seconds} s: headers of the packets, no sound.`;
        }),
    };
  }

  stopCapture(id: string): Act {
    return {
      name: "Stop capture",
      run: () =>
        told("Stopping the capture", this.#api.stopCapture(id), ({ file, packets }) => {
          this.#onCapture(id, file);
          return `Captured ${packets.toLocaleString("en")} packets.`;
        }),
    };
  }
}

async function told<T>(
  what: string,
  asked: Promise<Answer<T>>,
  words: (value: T) => string,
): Promise<Outcome> {
  const answer = await asked;
  if (answer.ok) return { done: true, text: words(answer.value) };
  return { done: false, text: `${what} failed: ${answer.error}.` };
}
