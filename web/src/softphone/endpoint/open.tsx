import type { JSX } from "preact";
import type { SoftphoneSnapshot } from "../snapshot.ts";
import type { Softphone } from "../softphone.ts";
import type { Sound } from "../sound/sound.ts";
import { endpointWire } from "./http.ts";
import { keepSession, type KeptSession } from "./kept.ts";
import { EndpointLink } from "./link.ts";
import { Mutes } from "./mutes.ts";
import { carryOut, type Carrier } from "./orders.ts";
import { pageState, type SoundNow } from "./page-state.ts";
import { Carried } from "./panel.tsx";
import { watchSoundLeave } from "./sound-leave.ts";
import type { SoundChange } from "./wire.ts";
import "./endpoint.css";

export interface EndpointParts {
  readonly softphone: Softphone;
  readonly sound: Sound;
}

/**
 * Has the page carry the sound for Workspace.
 * @param kept what the page before this reload has left
 * @returns begins with a token, or with what was left where that is empty
 */
export function openEndpoint(
  { softphone, sound }: EndpointParts,
  kept: KeptSession | undefined,
): (token: string) => void {
  const { phone, places } = softphone;
  const mutes = new Mutes(phone, kept?.microphoneMuted);
  sound.speakerMuted = kept?.speakerMuted ?? false;
  sound.microphoneVolume = kept?.microphoneVolume ?? 1;
  let blocked = false;
  const now = (): SoundNow => ({
    microphone: { muted: mutes.muted, volume: sound.microphoneVolume },
    speaker: { muted: sound.speakerMuted, volume: sound.settings.value.speakerVolume },
  });
  const carrier: Carrier = {
    phone,
    signIn: async (by) => await softphone.signIn({ ...softphone.remembered, password: "", ...by }),
    signOut: () => softphone.signOut(),
    setMicrophone: (change) => {
      apply(
        change,
        (muted) => mutes.set(muted),
        (volume) => (sound.microphoneVolume = volume),
      );
      softphone.changed();
    },
    setSpeaker: (change) => {
      // As if the person had moved the page's own slider.
      apply(
        change,
        (muted) => (sound.speakerMuted = muted),
        (speakerVolume) => sound.settings.choose({ speakerVolume }),
      );
      softphone.changed();
    },
    setOptions: (wanted) => sound.settings.apply(wanted),
  };
  const link = new EndpointLink(endpointWire, {
    changed: () => softphone.changed(),
    carryOut: async (order) => await carryOut(carrier, order),
  });
  softphone.onChange(() => {
    link.tell(pageState(phone.snapshot, now()));
    leaveWhenReplaced(link, softphone);
  });
  const show = (snapshot: SoftphoneSnapshot): JSX.Element => (
    <Carried link={link.state} sound={now()} blocked={blocked} snapshot={snapshot} />
  );
  places.put("signedOut", show);
  // What is above the calls is there, unseen, while nobody is signed in.
  places.put("account", (snapshot) => snapshot.dn !== undefined && show(snapshot));
  watchSoundLeave((isBlocked) => {
    blocked = isBlocked;
    softphone.changed();
  });
  window.addEventListener("online", () => link.hurry());
  window.addEventListener("pagehide", () => {
    const { session } = link;
    if (session === undefined) return;
    const { microphone, speaker } = now();
    const heard = { microphoneMuted: microphone.muted, microphoneVolume: microphone.volume };
    keepSession(sessionStorage, { session, ...heard, speakerMuted: speaker.muted }, Date.now());
  });
  return (token) => {
    link.tell(pageState(phone.snapshot, now()));
    if (token !== "") link.begin(token);
    else if (kept !== undefined) link.resume(kept.session);
  };
}

function apply(
  { muted, volume }: SoundChange,
  mute: (muted: boolean) => void,
  setVolume: (volume: number) => void,
): void {
  if (muted !== undefined) mute(muted);
  if (volume !== undefined) setVolume(volume / 100);
}

/** Another page has the DN now: this one keeps it for no longer than its calls last. */
function leaveWhenReplaced(link: EndpointLink, softphone: EndpointParts["softphone"]): void {
  const { dn, call } = softphone.phone.snapshot;
  if (link.state.kind === "replaced" && dn !== undefined && call === undefined) softphone.signOut();
}
