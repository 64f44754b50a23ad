import { TypedEvents } from "../core/index.ts";
import type {
  BindingView,
  CallView,
  RecordedPacket,
  HoldOptions,
  ReferOptions,
  RetargetOptions,
  RingOptions,
  Sandbox,
  SandboxEvents,
  SandboxNumber,
  SandboxOptions,
  WireEntry,
} from "./contract.ts";
import type { Call } from "./calls/call.ts";
import { connect, moveTo, referTo, replacesOf } from "./calls/referrals.ts";
import { Robot } from "./calls/robot.ts";
import type { Switch } from "./calls/switch.ts";
import { viewOf } from "./calls/view.ts";
import { Front } from "./front.ts";
import { Timers } from "./timers.ts";
import type { Faults } from "./wire/faults.ts";

/** Wait before a call back. */
const callBackMs = 2000;
/** Recordings of ended calls kept. */
const keptRecordings = 20;

/** The door's object: the API of `Sandbox` on top of the front (SIP) and the switch (calls). */
export class GenesysSandbox implements Sandbox {
  readonly host: string;
  readonly numbers: readonly SandboxNumber[];
  readonly events: TypedEvents<SandboxEvents>;
  readonly #front: Front;
  readonly #switch: Switch;
  readonly #timers: Timers;
  readonly #recordings = new Map<string, readonly RecordedPacket[]>();
  #closing: Promise<void> | undefined;

  private constructor(options: SandboxOptions, events: TypedEvents<SandboxEvents>, front: Front) {
    this.host = options.host;
    this.numbers = front.numbers;
    this.events = events;
    this.#front = front;
    this.#switch = front.exchange;
    this.#timers = new Timers(options.clock);
  }

  /** Binds the SIP socket and takes calls. Rejects when the address is taken. */
  static async open(options: SandboxOptions): Promise<GenesysSandbox> {
    const events = new TypedEvents<SandboxEvents>(options.log);
    const front = await Front.open(options, events, (call) => sandbox.#callEnded(call));
    const sandbox = new GenesysSandbox(options, events, front);
    return sandbox;
  }

  get port(): number {
    return this.#front.port;
  }

  get malformed(): number {
    return this.#front.malformed;
  }

  get faults(): Faults {
    return this.#front.faults;
  }

  async makeCall(dn: string, number: string): Promise<string> {
    return this.#switch.makeCall(dn, number);
  }

  async ring(dn: string, from: string, options: RingOptions = {}): Promise<string> {
    return this.#switch.ring(dn, from, options);
  }

  ringBack(dn: string): void {
    this.#later(dn, async () => this.ring(dn, "1003"));
  }

  async answer(uuid: string, dn?: string): Promise<number> {
    const ringing = this.#switch
      .call(uuid)
      .parties.find(
        (party) => "state" in party && party.state === "early" && (dn ?? party.name) === party.name,
      );
    return this.notify(uuid, "talk", undefined, dn ?? ringing?.name);
  }

  async hold(uuid: string, dn?: string): Promise<number> {
    return this.notify(uuid, "hold", undefined, dn);
  }

  async retrieve(uuid: string, dn?: string): Promise<number> {
    return this.notify(uuid, "talk", undefined, dn);
  }

  async dtmf(uuid: string, digits: string, dn?: string): Promise<number> {
    return this.notify(uuid, "dtmf", { type: "application/dtmf-relay", text: `Signal=${digits}\r\n` }, dn);
  }

  async notify(
    uuid: string,
    event: string,
    body?: { readonly type: string; readonly text: string },
    dn?: string,
  ): Promise<number> {
    return this.#switch.leg(uuid, dn).notify(event, body);
  }

  async info(
    uuid: string,
    body: { readonly type: string; readonly text: string },
    dn?: string,
  ): Promise<number> {
    return this.#switch.leg(uuid, dn).info(body);
  }

  async holdByReinvite(
    uuid: string,
    form: "sendonly" | "inactive" | "zero",
    options: HoldOptions = {},
  ): Promise<boolean> {
    return this.#switch.call(uuid).holdByReinvite(this.#switch.leg(uuid, options.dn), form, options);
  }

  async retarget(uuid: string, options: RetargetOptions = {}): Promise<boolean> {
    const call = this.#switch.call(uuid);
    const leg = this.#switch.leg(uuid, options.dn);
    const far = call.other(leg);
    if (!far) throw new Error(`call ${uuid} has no far side yet`);
    if (options.newSessionId === true) leg.changeSessionId();
    if (options.newCallUuid === true) leg.callUuid = this.#front.ids.callUuid();
    if (far instanceof Robot) {
      if (options.law) far.useLaw(options.law);
      if (options.move !== false || options.host !== undefined) await far.move(options.host);
    }
    return options.offerless === true ? call.renegotiate(leg, far) : call.renegotiate(far, leg);
  }

  async refer(uuid: string, number: string, options: ReferOptions = {}): Promise<number> {
    const leg = this.#switch.leg(uuid, options.dn);
    const replaced =
      options.replaces === undefined ? undefined : this.#switch.leg(options.replaces, leg.name);
    const status = await leg.refer(referTo(number, `${this.host}:${this.port}`, replaced));
    const call = this.#switch.calls.find((one) => one.uuid === uuid);
    if (status >= 200 && status < 300) call?.end({ text: "transferred" });
    return status;
  }

  transfer(uuid: string, number: string, dn?: string): Promise<number> {
    const call = this.#switch.call(uuid);
    const leg = this.#switch.leg(uuid, dn);
    return new Promise((resolve, reject) => {
      const tell = async (status: number): Promise<void> => (status >= 200 ? resolve(status) : undefined);
      moveTo(this.#switch, call, leg, number, tell).catch(reject);
    });
  }

  async completeTransfer(uuid: string, consultUuid: string, dn?: string): Promise<boolean> {
    const call = this.#switch.call(uuid);
    const leg = this.#switch.leg(uuid, dn);
    const far = call.other(leg);
    const consult = { call: this.#switch.call(consultUuid), leg: this.#switch.leg(consultUuid, leg.name) };
    return far !== undefined && (await connect(call, leg, far, consult, async () => {}));
  }

  async replace(uuid: string, from: string, options: RingOptions = {}): Promise<string> {
    const leg = this.#switch.leg(uuid, undefined);
    const headers = [...(options.headers ?? []), ["Replaces", replacesOf(leg)] as const];
    return this.#switch.ring(leg.name, from, { renegotiate: false, ...options, headers });
  }

  hangUp(uuid: string, reasonHeader?: string): void {
    const cause = { text: "hung up by SIP Server" };
    this.#switch.call(uuid).end(reasonHeader === undefined ? cause : { ...cause, reasonHeader });
  }

  async options(dn: string, user = dn): Promise<number> {
    return this.#front.options(dn, user);
  }

  calls(): readonly CallView[] {
    return this.#switch.calls.map(viewOf);
  }

  bindings(): readonly BindingView[] {
    return this.#front.bindings();
  }

  record(uuid: string): void {
    robotOf(this.#switch.call(uuid)).stream.recorder.start();
  }

  recording(uuid: string): readonly RecordedPacket[] {
    const live = this.#switch.calls.find((call) => call.uuid === uuid);
    return live ? robotOf(live).stream.recorder.packets : (this.#recordings.get(uuid) ?? []);
  }

  trace(): readonly WireEntry[] {
    return this.#front.trace;
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    this.#timers.close();
    await this.#front.close();
    this.events.removeAllListeners();
  }

  #callEnded(call: Call): void {
    const robot = call.parties.find((party): party is Robot => party instanceof Robot);
    if (!robot) return;
    this.#keep(call.uuid, robot.stream.recorder.packets);
    const caller = call.leg();
    const afterwards = robot.behaviour.kind === "answer" ? robot.behaviour.afterwards : undefined;
    if (!caller?.inbound || afterwards === undefined || !call.everConnected) return;
    if (afterwards === "ring-back") this.ringBack(caller.name);
    else this.#later(caller.name, async () => this.makeCall(caller.name, "9196"));
  }

  #keep(uuid: string, packets: readonly RecordedPacket[]): void {
    if (packets.length === 0) return;
    this.#recordings.set(uuid, packets);
    const oldest = this.#recordings.size > keptRecordings ? this.#recordings.keys().next().value : undefined;
    if (oldest !== undefined) this.#recordings.delete(oldest);
  }

  #later(dn: string, call: () => Promise<string>): void {
    this.#timers.after(callBackMs, () => {
      if (this.bindings().some((binding) => binding.dn === dn)) call().catch(() => {}); // signed out meanwhile
    });
  }
}

function robotOf(call: Call): Robot {
  const robot = call.parties.find((party): party is Robot => party instanceof Robot);
  if (!robot) throw new Error(`call ${call.uuid} has no number of the sandbox in it: its media is direct`);
  return robot;
}
