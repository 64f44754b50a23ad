import { render } from "preact";
import { ownInstance, randomUuid } from "./phone/instance.ts";
import { keepCalls, keepSignIn, keptCalls, takeSignIn } from "./phone/kept.ts";
import { Phone } from "./phone/phone.ts";
import { remembered, type Remembered } from "./phone/settings.ts";
import { hookQuality } from "./quality/hook.tsx";
import { Softphone } from "./softphone.ts";
import { Microphone } from "./sound/microphone.ts";
import { Sounds } from "./sound/sounds.ts";
import { playRemote } from "./sound/speaker.ts";
import { toneOf } from "./sound/tones.ts";
import { App, titleOf } from "./views/app.tsx";

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} "${id}"`);
  return found;
}

const page = element("softphone", HTMLElement);
const remote = element("remote", HTMLAudioElement);

// Before anything is rendered, since what is rendered is kept.
const instance = await ownInstance(sessionStorage, (navigator as Partial<Navigator>).locks, randomUuid);
const returning = takeSignIn(sessionStorage, Date.now());
const first = (): Remembered => remembered(sessionStorage, location);

const microphone = new Microphone(() =>
  softphone.notices.tell("The microphone is gone. Plug it in again before the next call.", true),
);
const phone = new Phone(microphone, instance, keptCalls(sessionStorage));
const softphone = new Softphone(phone, microphone);

const sounds = new Sounds();
// Browsers start sound only from a click or key press.
for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, () => sounds.unlock());
phone.onChange((snapshot) => {
  keepCalls(sessionStorage, phone.kept);
  sounds.play(toneOf(snapshot));
});
phone.onEvent((event) => {
  if (event.kind === "beep") sounds.beep();
  if (event.kind === "sound")
    playRemote(remote, event.stream, () =>
      softphone.notices.tell(
        "The browser does not let this page play sound. Click anywhere on the page to hear the call.",
        true,
      ),
    );
});

// Parts that hook in do it here.
hookQuality(softphone);

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

// The calls stay for the reload, and the sign-in with them; a tab closed for good is given up after the grace time.
window.addEventListener("pagehide", () => {
  const ha1 = phone.leave();
  if (ha1 !== undefined) keepSignIn(sessionStorage, ha1, Date.now());
});
if (returning !== undefined) {
  sounds.unlock();
  void softphone.signIn({ ...first(), password: "", ha1: returning });
}
