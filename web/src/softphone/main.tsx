import { render } from "preact";
import { firstMode } from "./embed/mode.ts";
import { listenToKeys } from "./keyboard.ts";
import { hookEndpoint, takeEndpointFrom } from "./endpoint/hook.ts";
import { hookGws } from "./gws/hook.ts";
import { ownInstance, randomUuid } from "./phone/instance.ts";
import { keepCalls, keepSignIn, keptCalls, takeSignIn } from "./phone/kept.ts";
import { CallHistory } from "./phone/history.ts";
import { Phone } from "./phone/phone.ts";
import {
  configuredMode,
  embeddingOrigins,
  loadSettings,
  SETTINGS_MISSING,
  passwordInUrl,
  webSocketPath,
  workspaceOptions,
} from "./page-settings.ts";
import { ownGateway, type Remembered } from "./phone/settings.ts";
import { hookQuality } from "./quality/hook.tsx";
import { takeSignInFrom, type AskedSignIn } from "./phone/sign-in-address.ts";
import { signInByAddress } from "./sign-in-by-address.ts";
import { Softphone } from "./softphone.ts";
import { hookSound } from "./sound/hook.tsx";
import { Sound } from "./sound/sound.ts";
import { App, titleOf } from "./views/app.tsx";
import { WorkspacePolicy } from "./workspace-policy.ts";

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} "${id}"`);
  return found;
}

const page = element("softphone", HTMLElement);
const remote = element("remote", HTMLAudioElement);

const loading = loadSettings();
// Before anything else can read it there.
const asked = takeSignInFrom(location, history);
const endpointToken = takeEndpointFrom(location, history);
// Before anything is rendered, since what is rendered is kept.
const instance = await ownInstance(sessionStorage, (navigator as Partial<Navigator>).locks, randomUuid);
const returning = takeSignIn(sessionStorage, Date.now());
const first = (): Remembered => {
  const before = softphone.remembered;
  return asked.dn === "" ? before : { ...before, dn: asked.dn };
};
const told = await loading;
const settings = told ?? {};

const sound = new Sound(remote, {
  changed: () => softphone.changed(),
  told: (text, problem) => softphone.notices.tell(text, problem),
  microphoneChanged: () => phone.microphoneChanged(),
});
const phone = new Phone(sound.microphone, instance, keptCalls(sessionStorage));
const softphone = new Softphone(
  phone,
  sound.microphone,
  new CallHistory(sessionStorage),
  ownGateway(location, webSocketPath(settings)),
);
phone.onChange(() => keepCalls(sessionStorage, phone.kept));

// Parts that hook in do it here.
hookSound(softphone, sound);
hookQuality(softphone);
const policy = new WorkspacePolicy({
  phone,
  sound,
  told: (text, problem) => softphone.notices.tell(text, problem),
});
policy.apply(workspaceOptions(settings));
const mode = configuredMode(settings);
softphone.mode = firstMode(mode, location.hash);
hookGws(softphone, settings, policy);
const carry = hookEndpoint({ softphone, sound }, endpointToken);
if (told === undefined) softphone.notices.tell(SETTINGS_MISSING, true);
if (window.parent !== window)
  import("./embed/hook.ts").then(
    ({ hookEmbed }) =>
      hookEmbed({
        softphone,
        sound,
        policy,
        origins: embeddingOrigins(settings),
        configuredMode: mode,
      }),
    () => softphone.notices.tell("What speaks to the page around this one did not load. Reload it.", true),
  );

let due = false;
function draw(): void {
  due = false;
  const snapshot = softphone.snapshot;
  document.title = titleOf(snapshot);
  render(<App softphone={softphone} snapshot={snapshot} first={first} />, page);
}
softphone.onChange(() => {
  if (!due) queueMicrotask(draw);
  due = true;
});
draw();
listenToKeys(softphone);

function signIn(by: AskedSignIn): void {
  void signInByAddress(softphone, by, { first, passwordAllowed: passwordInUrl(settings) });
}

/** A link asks to call a number: once, not again with each reload. */
function takeAsked(): void {
  softphone.ask(location.hash);
  if (location.hash.startsWith("#dial=")) history.replaceState(null, "", location.pathname + location.search);
}
takeAsked();
window.addEventListener("hashchange", () => {
  signIn(takeSignInFrom(location, history));
  carry(takeEndpointFrom(location, history));
  takeAsked();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) softphone.seen();
});

// The calls stay for the reload, and the sign-in with them; a tab closed for good is given up after the grace time.
window.addEventListener("pagehide", () => {
  const ha1 = phone.leave();
  if (ha1 !== undefined) keepSignIn(sessionStorage, ha1, Date.now());
});
// Back to its call, whatever the address asks for: a link must not end it.
if (returning !== undefined) void softphone.signIn({ ...softphone.remembered, password: "", ha1: returning });
signIn(asked);
