import type { CommandData, Mode } from "../../../sdk/protocol.ts";
import type { Refusal } from "../phone/call-control.ts";
import { exchangeToken } from "../phone/sign-in-token.ts";
import type { Softphone } from "../softphone.ts";
import type { SoundSettings } from "../sound/choices.ts";
import { runCommand, type Commanded } from "./run-command.ts";
import { EmbedSession } from "./session.ts";
import { soundDefaults } from "./sound-defaults.ts";
import { statusOf, toldOf } from "./told.ts";

export interface EmbedHook {
  readonly softphone: Softphone;
  readonly sound: SoundSettings;
  /** Who may embed the page beside its own origin. */
  readonly origins: readonly string[];
  readonly configuredMode: Mode;
}

/** Lets the page around this one control it and hear of its calls. */
export function hookEmbed({ softphone, sound, origins, configuredMode }: EmbedHook): void {
  const { phone } = softphone;
  const commanded: Commanded = {
    // Of that moment: another part may have put itself in the phone's place.
    get control() {
      return softphone.control;
    },
    status: () => statusOf(phone.snapshot, softphone.mode),
    signIn: async (by) => await signIn(softphone, by),
    signOut: () => softphone.signOut(),
    mute: (on, callId) => phone.mute(on, callId),
    setSound: (wanted) => sound.apply(soundDefaults(wanted)),
    setMode: (mode) => {
      if (configuredMode === "audio" && mode !== "audio")
        return "The gateway's configuration says audio-only (page.mode).";
      softphone.mode = mode;
      return undefined;
    },
  };
  const session = new EmbedSession({
    origins: [...origins, location.origin],
    post: (message, origin) => window.parent.postMessage(message, origin),
    run: async (command) => await runCommand(commanded, command),
    status: () => commanded.status(),
    now: () => performance.now(),
  });
  window.addEventListener("message", (event: MessageEvent<unknown>) => {
    void session.hear({
      origin: event.origin,
      fromParent: event.source === window.parent,
      // Unpacked only if it is heard.
      get data() {
        return event.data;
      },
    });
  });
  phone.onEvent((event) => {
    const told = toldOf(event);
    if (told !== undefined) session.tell(...told);
  });
  session.begin(parentOrigin());
}

async function signIn(softphone: Softphone, by: CommandData["sign_in"]): Promise<Refusal> {
  const credentials = "token" in by ? await exchangeToken(by.token) : by;
  if (typeof credentials === "string") return credentials;
  return await softphone.signIn({ password: "", ...softphone.remembered, ...credentials });
}

/** As the browser tells it: Firefox has no list of ancestors, but the referrer where the frame's element allows it. */
function parentOrigin(): string | undefined {
  const { ancestorOrigins } = location as Partial<Location>;
  if (ancestorOrigins !== undefined) return ancestorOrigins[0];
  return URL.canParse(document.referrer) ? new URL(document.referrer).origin : undefined;
}
