import type { SoftphoneSnapshot } from "../snapshot.ts";
import type { LinkState } from "./link.ts";
import type { SoundNow } from "./page-state.ts";

/** How the line to Workspace's orders is, for a person: how good that is, and one or two sentences. */
export type Shown = readonly [tone: "good" | "wait" | "bad", text: string];

type Signed = Pick<SoftphoneSnapshot, "dn" | "registration" | "signingIn" | "call">;

const OPEN_ANEW = "Open the softphone for Workspace anew.";

export function lineWords(link: LinkState, phone: Signed): Shown {
  switch (link.kind) {
    case "idle":
    case "connecting":
      return ["wait", "Connecting to the gateway…"];
    case "lost":
      return [
        "bad",
        phone.call === undefined
          ? "No connection for Workspace at the moment. Trying again by itself."
          : "No connection for Workspace at the moment, the call goes on. Trying again by itself.",
      ];
    case "replaced":
      return [
        "bad",
        phone.call === undefined
          ? "Another window carries the sound for Workspace now. Close this one."
          : "Another window carries the sound for Workspace now. This one keeps its call; close it after that.",
      ];
    case "refused":
      return ["bad", `${link.reason} ${OPEN_ANEW}`];
    case "up":
  }
  return upWords(phone);
}

function upWords({ dn, registration, signingIn }: Signed): Shown {
  if (signingIn) return ["wait", "The browser asks for your microphone: allow it in this window."];
  if (dn === undefined)
    return ["wait", "Connected. Sign in to Workspace; this window then carries its sound."];
  if (registration === "registered") return ["good", "Carried for Workspace: its sound is in this window."];
  return ["wait", "Signing in for Workspace…"];
}

export const CLICK_FOR_SOUND = "The browser plays no sound yet: click anywhere in this window once.";

/** What Workspace has turned off, so that nobody looks for the fault elsewhere. */
export function soundWords({ microphone, speaker }: SoundNow): readonly string[] {
  return [
    ...(microphone.muted
      ? ["The microphone is muted: nobody hears you."]
      : microphone.volume === 0
        ? ["The microphone's volume is 0: nobody hears you."]
        : []),
    ...(speaker.muted
      ? ["The speaker is muted: you hear nobody."]
      : speaker.volume === 0
        ? ["The speaker's volume is 0: you hear nobody."]
        : []),
  ];
}
