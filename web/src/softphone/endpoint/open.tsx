import type { JSX } from "preact";
import type { Refusal } from "../phone/call-control.ts";
import type { SoftphoneSnapshot } from "../snapshot.ts";
import type { Softphone } from "../softphone.ts";
import type { Sound } from "../sound/sound.ts";
import { Heard } from "./heard.ts";
import { endpointWire } from "./http.ts";
import { keepSession, type KeptSession } from "./kept.ts";
import { EndpointLink } from "./link.ts";
import { Mutes } from "./mutes.ts";
import { carryOut, type Carrier } from "./orders.ts";
import { pageState } from "./page-state.ts";
import { Carried } from "./panel.tsx";
import { watchSoundLeave } from "./sound-leave.ts";
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
  const { phone } = softphone;
  const heard = new Heard(sound, new Mutes(phone, kept?.microphoneMuted), kept);
  const carrier = carrierOf({ softphone, sound }, heard);
  const link = new EndpointLink(endpointWire, {
    changed: () => softphone.changed(),
    carryOut: async (order) => {
      const result = await carryOut(carrier, order);
      softphone.changed();
      return result;
    },
  });
  softphone.onChange(() => {
    link.tell(pageState(phone.snapshot, heard.now));
    leaveWhenReplaced(link, softphone);
  });
  putView(softphone, link, heard);
  window.addEventListener("online", () => link.hurry());
  window.addEventListener("pagehide", () => {
    const { session } = link;
    if (session !== undefined) keepSession(sessionStorage, { session, ...heard.kept }, Date.now());
  });
  return (token) => {
    link.tell(pageState(phone.snapshot, heard.now));
    if (token !== "") link.begin(token);
    else if (kept !== undefined) link.resume(kept.session);
  };
}

function carrierOf({ softphone, sound }: EndpointParts, heard: Heard): Carrier {
  // The order comes again while the browser still asks for the microphone: it is asked for once.
  let underWay: { readonly dn: string; readonly done: Promise<Refusal> } | undefined;
  return {
    phone: softphone.phone,
    signIn: async (by) => {
      if (underWay?.dn === by.dn) return await underWay.done;
      const mine = { dn: by.dn, done: softphone.signIn({ ...softphone.remembered, password: "", ...by }) };
      underWay = mine;
      try {
        return await mine.done;
      } finally {
        if (underWay === mine) underWay = undefined;
      }
    },
    signOut: () => {
      underWay = undefined;
      if (softphone.phone.snapshot.dn !== undefined) softphone.signOut();
      heard.reset();
    },
    setMicrophone: (change) => heard.setMicrophone(change),
    setSpeaker: (change) => heard.setSpeaker(change),
    setOptions: (wanted) => sound.settings.apply(wanted),
  };
}

function putView(softphone: Softphone, link: EndpointLink, heard: Heard): void {
  let blocked = false;
  const show = (snapshot: SoftphoneSnapshot): JSX.Element => (
    <Carried link={link.state} sound={heard.now} blocked={blocked} snapshot={snapshot} />
  );
  softphone.places.put("signedOut", show);
  // What is above the calls is there, unseen, while nobody is signed in.
  softphone.places.put("account", (snapshot) => snapshot.dn !== undefined && show(snapshot));
  watchSoundLeave((isBlocked) => {
    blocked = isBlocked;
    softphone.changed();
  });
}

/** Another page has the DN now: this one keeps it for no longer than its calls last. */
function leaveWhenReplaced(link: EndpointLink, softphone: Softphone): void {
  const { dn, call } = softphone.phone.snapshot;
  if (link.state.kind === "replaced" && dn !== undefined && call === undefined) softphone.signOut();
}
