import type { Problem } from "../../shared/words.ts";
import { shownName, type DeviceChange, type DeviceUse, type Following } from "./devices.ts";

/** Where the page runs, as far as the microphone depends on it. */
export interface Surroundings {
  readonly origin: string;
  readonly secure: boolean;
  /** The page is inside another one. */
  readonly embedded: boolean;
  /** What the embedding page lets it do; undefined: the browser does not tell. */
  readonly allowed: boolean | undefined;
}

/** Why the browser would not even be asked for the microphone; undefined: it can be. */
export function placeProblem({ origin, secure, embedded, allowed }: Surroundings): Problem | undefined {
  if (!secure) {
    return {
      what: `Browsers give the microphone only to secure pages, and ${origin} is not one.`,
      remedy: embedded
        ? "This page and the one around it must both be opened by https://."
        : "Open this page by https://, or on the same machine as http://localhost.",
    };
  }
  if (allowed !== false) return undefined;
  return {
    what: "The page around the softphone does not let it use the microphone.",
    remedy: `Whoever runs that page must add allow="microphone; speaker-selection; autoplay" to the frame.`,
  };
}

/** Why the browser did not give the microphone, by the error of `getUserMedia`. */
export function microphoneProblem(error: unknown): Problem {
  const { name, message } = error instanceof Error ? error : { name: "", message: "" };
  switch (name) {
    case "NotAllowedError":
      return blockedBy(message);
    case "SecurityError":
      return {
        what: "This browser's settings do not allow the microphone.",
        remedy: "Ask whoever looks after this computer to allow it for this page.",
      };
    case "NotFoundError":
    case "OverconstrainedError":
      return { what: "There is no microphone.", remedy: "Plug one in, then try again." };
    case "NotReadableError":
    case "AbortError":
      return {
        what: "The microphone cannot be used.",
        remedy: "Another program may hold it: close that one, then try again.",
      };
    default:
      return {
        what: `The microphone cannot be used (${name === "" ? String(error) : name}).`,
        remedy: "Reload the page and try again.",
      };
  }
}

/** Chrome tells by its message alone who said no. */
function blockedBy(message: string): Problem {
  if (/system/i.test(message)) {
    return {
      what: "The computer's own privacy settings keep the microphone from the browser.",
      remedy: "Allow it there (Privacy, Microphone), then try again.",
    };
  }
  if (/dismiss/i.test(message)) {
    return {
      what: "The browser's question for the microphone was closed without an answer.",
      remedy: "Try again and choose Allow.",
    };
  }
  return {
    what: "The microphone is blocked for this page.",
    remedy: "Allow it by the symbol left of the address, then try again.",
  };
}

const NAMES: Readonly<Record<DeviceUse, string>> = {
  microphone: "microphone",
  speaker: "speaker",
  ring: "ring device",
};

const SILENCE: Readonly<Record<DeviceUse, string>> = {
  microphone: "there is no other microphone, so nobody can hear you",
  speaker: "there is no other speaker, so you hear nothing",
  ring: "there is no other device to ring with",
};

/** A change of the device in use, for whoever wants to know. */
export interface DeviceNews {
  readonly use: DeviceUse;
  readonly change: DeviceChange;
  /** Of the device that is gone, missing, or back; empty: the browser did not tell its name. */
  readonly label: string;
  /** Of the device that is used now; empty: unknown or none. */
  readonly now: string;
  /** There is no other device. */
  readonly none: boolean;
}

/** What became of the device, with the name that concerns the person; undefined: nothing. @param before its name before */
export function newsOf(use: DeviceUse, before: string, after: Following): DeviceNews | undefined {
  const { change, choice, awaited } = after;
  if (change === undefined) return undefined;
  const label = change === "gone" ? before : change === "missing" ? awaited : choice.label;
  return { use, change, label, now: choice.label, none: choice.none };
}

function firstUpper(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** What is used in its place, told once where it is one device for several uses. */
function consequences(news: readonly DeviceNews[]): string {
  const lacking = news.filter(({ none }) => none).map(({ use }) => SILENCE[use]);
  const groups = Map.groupBy(
    news.filter(({ none }) => !none),
    ({ now }) => now,
  );
  const replaced = [...groups].map(([now, uses]) => {
    const names = uses.map(({ use }) => `the ${NAMES[use]}`).join(" and ");
    return `${names} ${uses.length === 1 ? "is" : "are"} now ${now === "" ? "the system's default" : shownName(now)}`;
  });
  return [...replaced, ...lacking].join(", ");
}

/** One sentence for what happened to one device, whatever it was used for. */
function sentence(news: readonly DeviceNews[]): string {
  const [first] = news;
  if (first === undefined) return "";
  const name = first.label === "" ? `The ${NAMES[first.use]}` : shownName(first.label);
  const uses = news.map(({ use }) => NAMES[use]).join(" and ");
  const then = consequences(news);
  const sentences: Readonly<Record<DeviceChange, string>> = {
    back: `${name} is back as ${uses}.`,
    changed: `${firstUpper(then)}.`,
    gone: `${name} was pulled out: ${then}.`,
    missing: `${name} is not plugged in: ${then}.`,
  };
  return sentences[first.change];
}

/** What happened to the devices, in words; a headset that is microphone and speaker is told once. */
export function newsText(news: readonly DeviceNews[]): Problem {
  const groups = Map.groupBy(news, ({ change, label }) => `${change} ${label}`);
  const isLoss = news.some(isLossOf);
  return {
    what: [...groups.values()].map(sentence).join(" "),
    remedy: isLoss ? "Plug it in to go back to it." : "",
  };
}

export function isLossOf({ change }: DeviceNews): boolean {
  return change === "gone" || change === "missing";
}

export const RING_BLOCKED =
  "The browser lets this page ring only after a click in it. Click anywhere on this page once.";
export const CALL_BLOCKED =
  "The browser does not let this page play sound. Click anywhere on the page to hear the call.";
export const NO_OUTPUT_CHOICE =
  "This browser cannot choose between speakers: sound comes out of the system's default. Choose that in the system's sound settings, or use Chrome or Edge.";
