import type { PhoneSnapshot } from "../phone/phone-snapshot.ts";
import type { Softphone } from "../softphone.ts";
import type { Caller } from "./call-notice.ts";
import { MicrophoneHint } from "./microphone-hint.tsx";
import { SoundPanel } from "./panel.tsx";
import type { Sound } from "./sound.ts";
import { toneOf } from "./tones.ts";

function callerOf({ call, otherCalls }: Pick<PhoneSnapshot, "call" | "otherCalls">): Caller | undefined {
  const ringing = [call, ...otherCalls].find((one) => one?.phase === "ringing");
  return ringing && { callId: ringing.callId, name: ringing.peer };
}

/** Lets the page be heard: rings, plays the calls, and shows what can be chosen about it. */
export function hookSound({ phone, places }: Softphone, sound: Sound): void {
  phone.onChange((snapshot) => sound.ring(toneOf(snapshot), callerOf(snapshot)));
  phone.onEvent((event) => {
    if (event.kind === "beep") sound.beep();
    if (event.kind === "sound") sound.hear(event.stream);
  });
  places.put("account", () => <MicrophoneHint key="microphone" {...sound.snapshot} />);
  places.put("settings", () => <SoundPanel sound={sound} />);
}
