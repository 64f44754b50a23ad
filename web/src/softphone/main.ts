import { CallView } from "./views/call-view.ts";
import { DialView } from "./views/dial-view.ts";
import { byId, setText } from "./views/dom.ts";
import { LogView } from "./views/log-view.ts";
import { ownInstance, randomUuid } from "./phone/instance.ts";
import { keepCalls, keepSignIn, keptCalls, takeSignIn } from "./phone/kept.ts";
import { Microphone, MicrophoneError } from "./sound/microphone.ts";
import { OtherCallsView } from "./views/other-calls-view.ts";
import { Phone, type PhoneSnapshot } from "./phone/phone.ts";
import { remember, remembered, type Credentials } from "./phone/settings.ts";
import { SignInView } from "./views/sign-in-view.ts";
import { Sounds, type Tone } from "./sound/sounds.ts";
import { renderStatus } from "./views/status-view.ts";
import { inOneLine } from "./phone/words.ts";

const log = new LogView();
const sounds = new Sounds();
const remote = byId("remote", HTMLAudioElement);
const microphone = new Microphone(() =>
  log.tell("The microphone is gone. Plug it in again before the next call.", true),
);

// Before anything is rendered, since what is rendered is kept.
const instance = await ownInstance(sessionStorage, (navigator as Partial<Navigator>).locks, randomUuid);
const returning = takeSignIn(sessionStorage, Date.now());

const phone = new Phone(
  {
    changed: (snapshot) => render(snapshot),
    told: (text, problem) => log.tell(text, problem),
    remoteSound: (stream) => hear(stream),
    beep: () => sounds.beep(),
    refused: (text) => {
      log.tell(text, true);
      signIn.again();
    },
  },
  microphone,
  instance,
  keptCalls(sessionStorage),
);

const signIn = new SignInView(remembered(sessionStorage, location), (credentials) => void start(credentials));
const calls = new CallView({
  answer: () => void phone.answer(),
  reject: () => phone.reject(),
  hangUp: () => phone.hangUp(),
  mute: (on) => phone.mute(on),
  hold: (on) => phone.hold(on),
});
const otherCalls = new OtherCallsView(
  (callId) => phone.switchTo(callId),
  (callId) => phone.reject(callId),
);
const dial = new DialView({
  call: (number) => {
    log.calm();
    void phone.call(number);
  },
  sendDigit: (digit) => phone.sendDigit(digit),
});

async function start(credentials: Credentials): Promise<void> {
  log.calm();
  sounds.unlock();
  signIn.busy(true);
  try {
    await microphone.acquire();
    phone.signIn(credentials);
    remember(sessionStorage, credentials);
  } catch (error) {
    microphone.release();
    if (error instanceof MicrophoneError) log.tell(inOneLine(error.problem), true);
    else log.tell("The server's address, the domain or the number cannot be used. Check them.", true);
  } finally {
    signIn.busy(false);
  }
}

function toneOf({ call, otherCalls: others }: PhoneSnapshot): Tone {
  if (call?.phase === "ringing") return "ring";
  if (others.some(({ phase }) => phase === "ringing")) return "waiting";
  if (call?.phase === "talking" && call.farRings && !call.heldHere) return "ringback";
  return call?.phase === "alerting" && !call.earlyMedia ? "ringback" : "none";
}

function titleOf({ dn, call }: PhoneSnapshot): string {
  if (call?.phase === "ringing") return `☎ ${call.peer} calls`;
  return dn === undefined ? "Jackfield" : `${dn} – Jackfield`;
}

function render(snapshot: PhoneSnapshot): void {
  keepCalls(sessionStorage, phone.kept);
  const signedIn = snapshot.dn !== undefined;
  byId("app", HTMLElement).dataset["state"] = signedIn ? snapshot.registration : "signed-out";
  byId("phone", HTMLElement).hidden = !signedIn;
  byId("sign-out", HTMLButtonElement).hidden = !signedIn;
  setText(byId("who", HTMLElement), snapshot.dn ?? "");
  document.title = titleOf(snapshot);
  signIn.render(signedIn);
  renderStatus(snapshot);
  calls.render(snapshot.call);
  otherCalls.render(snapshot.otherCalls);
  dial.render(snapshot.call, snapshot.registration === "registered");
  sounds.play(toneOf(snapshot));
}

function hear(stream: MediaStream | undefined): void {
  remote.srcObject = stream ?? null;
  if (stream === undefined) return;
  remote.play().catch((error: unknown) => {
    // Replaced or ended before it began: nothing is lost.
    if (error instanceof Error && error.name === "AbortError") return;
    log.tell(
      "The browser does not let this page play sound. Click anywhere on the page to hear the call.",
      true,
    );
    document.addEventListener("click", () => void remote.play(), { once: true });
  });
}

byId("sign-out", HTMLButtonElement).addEventListener("click", () => {
  phone.signOut();
  log.tell("Signed out.", false);
});
// The calls stay for the reload, and the sign-in with them; a tab closed for good is given up after the grace time.
window.addEventListener("pagehide", () => {
  const ha1 = phone.leave();
  if (ha1 !== undefined) keepSignIn(sessionStorage, ha1, Date.now());
});
render(phone.snapshot);
if (returning !== undefined)
  void start({ ...remembered(sessionStorage, location), password: "", ha1: returning });
