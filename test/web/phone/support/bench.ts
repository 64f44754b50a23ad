import { EventEmitter } from "node:events";
import type { RTCSession } from "jssip/lib/RTCSession.js";
import type { RTCSessionEvent } from "jssip/lib/UA.js";
import type { KeptCall } from "../../../../web/src/softphone/phone/kept.ts";
import type { LineOwner, SignedLine } from "../../../../web/src/softphone/phone/line.ts";
import type { PhoneEvent } from "../../../../web/src/softphone/phone/phone-event.ts";
import { Phone } from "../../../../web/src/softphone/phone/phone.ts";

/** The part of a MediaStreamTrack that calls use. */
export class FakeTrack {
  readonly kind = "audio";
  enabled = true;
  stopped = false;
  stop(): void {
    this.stopped = true;
  }
}

export class FakeStream {
  readonly track = new FakeTrack();
  getTracks(): FakeTrack[] {
    return [this.track];
  }
  getAudioTracks(): FakeTrack[] {
    return [this.track];
  }
}

export interface FakeSender {
  track: FakeTrack | undefined;
  replaceTrack(track: FakeTrack): Promise<void>;
}

/** Stands in for a peer connection with one sender. */
export class FakeConnection extends EventTarget {
  iceConnectionState = "connected";
  configuration: RTCConfiguration = { bundlePolicy: "max-bundle" };
  getConfiguration(): RTCConfiguration {
    return this.configuration;
  }
  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }
  breakPath(): void {
    this.iceConnectionState = "disconnected";
    this.dispatchEvent(new Event("iceconnectionstatechange"));
  }
  sender: FakeSender | undefined;
  getSenders(): FakeSender[] {
    return this.sender ? [this.sender] : [];
  }
  /** JsSIP adds the microphone's track. */
  send(stream: FakeStream): void {
    const sender: FakeSender = {
      track: stream.track,
      replaceTrack: async (track) => {
        await Promise.resolve();
        sender.track = track;
      },
    };
    this.sender = sender;
  }
}

/** Behaves as JsSIP's session where calls depend on it. */
export class FakeSession extends EventEmitter {
  readonly done: string[] = [];
  readonly connection = new FakeConnection();
  readonly remote_identity: { display_name: string; uri: { user: string; toString(): string } };
  readonly #hold = { local: false, remote: false };
  #muted = false;
  #over = false;

  constructor(peer: string) {
    super();
    this.remote_identity = { display_name: "", uri: { user: peer, toString: () => `sip:${peer}@test` } };
  }

  isOnHold(): { local: boolean; remote: boolean } {
    return { ...this.#hold };
  }
  isMuted(): { audio: boolean; video: boolean } {
    return { audio: this.#muted, video: false };
  }
  isEnded(): boolean {
    return this.#over;
  }
  mute(): void {
    this.#mute(true);
  }
  unmute(): void {
    this.#mute(false);
  }
  hold(): boolean {
    this.done.push("hold");
    this.#hold.local = true;
    this.emit("hold", { originator: "local" });
    return true;
  }
  unhold(): boolean {
    this.done.push("unhold");
    this.#hold.local = false;
    this.emit("unhold", { originator: "local" });
    return true;
  }
  renegotiate(): boolean {
    this.done.push("renegotiate");
    return true;
  }
  /** As in JsSIP: a request that was under way when the socket was lost ends the session. */
  onTransportError(): void {
    this.terminate();
  }
  refer(): void {
    this.done.push("refer");
  }
  /** What it was answered with. */
  options: { readonly mediaStream: FakeStream; readonly pcConfig?: RTCConfiguration } | undefined;
  answer(options: { readonly mediaStream: FakeStream; readonly pcConfig?: RTCConfiguration }): void {
    this.done.push("answer");
    this.options = options;
    this.emit("peerconnection", { peerconnection: this.connection });
    this.connection.send(options.mediaStream);
    this.accept();
  }
  terminate(): void {
    this.done.push("terminate");
    this.end("local");
  }

  accept(): void {
    this.emit("accepted", { originator: "remote", response: null });
  }
  end(originator: "local" | "remote"): void {
    if (this.#over) return;
    this.#over = true;
    this.emit("ended", { originator, message: null, cause: "Terminated" });
  }
  /** The caller's CANCEL. */
  cancel(reason?: string): void {
    this.#over = true;
    const message = { getHeader: (name: string) => (name === "Reason" ? reason : undefined) };
    this.emit("failed", { originator: "remote", message, cause: "Canceled" });
  }

  #mute(on: boolean): void {
    if (this.#muted === on) return;
    this.#muted = on;
    const track = this.connection.sender?.track;
    if (track) track.enabled = !on;
    this.emit(on ? "muted" : "unmuted", { audio: true });
  }
}

/** A line in the test's hand. */
export class FakeLine {
  readonly dn: string;
  socket: SignedLine["socket"] = "connected";
  registration: SignedLine["registration"] = "registering";
  readonly trunk = { state: "in-service", reason: "" } as const;
  readonly gateway = undefined;
  readonly retryAt = undefined;
  readonly ha1 = undefined;
  closed = false;
  readonly owner: LineOwner;
  readonly sessions: FakeSession[] = [];

  constructor(dn: string, owner: LineOwner) {
    this.dn = dn;
    this.owner = owner;
  }

  register(): void {
    this.registration = "registered";
    this.owner.changed();
    this.owner.registered();
  }
  refuse(status: number, text: string, final: boolean): void {
    this.registration = "failed";
    this.owner.changed();
    this.owner.refused(status, text, final);
  }
  tell(event: Parameters<LineOwner["event"]>[0]): void {
    this.owner.event(event);
  }
  close(): void {
    this.closed = true;
    for (const session of this.sessions) session.end("local");
  }
  address(number: string): string {
    return `sip:${number}@test`;
  }
  call(number: string, options: { mediaStream?: MediaStream | undefined }): RTCSession {
    const session = this.#begin("local", new FakeSession(number), {});
    // As in JsSIP: the connection is there before, its track comes within the next turn.
    void Promise.resolve().then(() => session.connection.send(options.mediaStream as unknown as FakeStream));
    return session as unknown as RTCSession;
  }
  /** A call comes in. */
  ring(peer: string, headers: Readonly<Record<string, string>> = {}): FakeSession {
    return this.#begin("remote", new FakeSession(peer), headers);
  }

  #begin(originator: string, session: FakeSession, headers: Readonly<Record<string, string>>): FakeSession {
    this.sessions.push(session);
    const callId = `call-${this.sessions.length}`;
    const request = { getHeader: (name: string) => (name === "Call-ID" ? callId : headers[name]) };
    this.owner.session({ session, originator, request } as unknown as RTCSessionEvent);
    return session;
  }
}

/** Lets everything that waits for nothing but promises go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

/** A phone with all around it faked. */
export class PhoneBench {
  readonly phone: Phone;
  readonly microphone: ConstructorParameters<typeof Phone>[0];
  readonly events: PhoneEvent[] = [];
  readonly lines: FakeLine[] = [];
  readonly copies: FakeStream[] = [];
  held = false;
  /** What `acquire` waits for. */
  ready: Promise<void> = Promise.resolve();

  constructor(kept: readonly KeptCall[] = []) {
    this.microphone = {
      acquire: async () => {
        this.held = true;
        await this.ready;
      },
      copy: () => {
        const copy = new FakeStream();
        this.copies.push(copy);
        return copy as unknown as MediaStream;
      },
      release: () => void (this.held = false),
    };
    this.phone = new Phone(this.microphone, "instance", kept, ({ dn }, _instance, owner) => {
      const line = new FakeLine(dn, owner);
      this.lines.push(line);
      return line;
    });
    this.phone.onEvent((event) => this.events.push(event));
  }

  get line(): FakeLine {
    const line = this.lines.at(-1);
    if (line === undefined) throw new Error("nobody signed in");
    return line;
  }

  /** Signed in and registered. */
  signIn(): FakeLine {
    this.phone.signIn({ dn: "5001", password: "pw", server: "wss://test/ws", domain: "test" });
    this.line.register();
    return this.line;
  }

  /** A call that came in and was answered. */
  async talk(peer = "1003", headers: Readonly<Record<string, string>> = {}): Promise<FakeSession> {
    const session = this.line.ring(peer, headers);
    await this.phone.answer(this.phone.snapshot.otherCalls.at(-1)?.callId);
    return session;
  }

  told(kind: PhoneEvent["kind"]): PhoneEvent[] {
    return this.events.filter((event) => event.kind === kind);
  }
}
