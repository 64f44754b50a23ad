import type { CallView, Sandbox } from "../../../src/sandbox/index.ts";

/** A call as GWS writes it. */
export interface WrittenCall {
  readonly id: string;
  readonly state: string;
  readonly [field: string]: unknown;
}

const DATA = ["UpdateUserData", "DeleteUserData", "DeleteUserDataPair", "AttachUserData"];
/** As seen of the real product (Held and consult: as documented). */
const CAPABILITIES: Readonly<Record<string, readonly string[]>> = {
  Ringing: ["Answer", ...DATA, "ClearCall"],
  Dialing: ["Hangup", "SendDtmf", "ClearCall", ...DATA],
  Established: [
    "Hold",
    "Hangup",
    "SendDtmf",
    "InitiateTransfer",
    "InitiateConference",
    "SingleStepTransfer",
    "SingleStepConference",
    "ClearCall",
    ...DATA,
  ],
  Held: ["Retrieve", "Hangup", "InitiateTransfer", "InitiateConference", "SingleStepTransfer", ...DATA],
  Released: [],
};

/** What of calls SIP Server does not say: user data and the number that was dialled. */
export interface CallExtras {
  readonly userData?: Readonly<Record<string, unknown>>;
  readonly dnis?: string;
  /** Calls of one consultation. */
  readonly consult?: boolean;
}

/** Watches the SIP Server and tells each change of one DN's calls in the form of GWS. */
export class CallWatch {
  readonly #sandbox: Sandbox;
  readonly #dn: string;
  readonly #tell: (call: WrittenCall, change: string) => void;
  readonly #states = new Map<string, string>();
  readonly #dialled = new Set<string>();
  readonly extras = new Map<string, CallExtras>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(sandbox: Sandbox, dn: string, tell: (call: WrittenCall, change: string) => void) {
    this.#sandbox = sandbox;
    this.#dn = dn;
    this.#tell = tell;
    this.#timer = setInterval(() => this.look(), 15);
  }

  get all(): readonly WrittenCall[] {
    return this.#calls().map((call) => this.#write(call, stateOf(call, this.#dn)));
  }

  find(id: string): WrittenCall | undefined {
    return this.all.find((call) => call.id === id);
  }

  look(): void {
    const calls = this.#calls();
    for (const call of calls) {
      const state = stateOf(call, this.#dn);
      if (this.#states.get(call.uuid) === state) continue;
      this.#states.set(call.uuid, state);
      this.#tell(this.#write(call, state), "StatusChange");
    }
    for (const id of this.#states.keys()) {
      if (calls.some(({ uuid }) => uuid === id)) continue;
      this.#states.delete(id);
      this.extras.delete(id);
      this.#tell({ id, callUuid: id, state: "Released", participants: [], capabilities: [] }, "StatusChange");
    }
  }

  attach(id: string, userData: Readonly<Record<string, unknown>>): void {
    const before = this.extras.get(id);
    this.extras.set(id, { ...before, userData: { ...before?.userData, ...userData } });
    const call = this.find(id);
    if (call) this.#tell(call, "AttachedDataChanged");
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #calls(): readonly CallView[] {
    return this.#sandbox.calls().filter(({ parties }) => parties.some(({ name }) => name === this.#dn));
  }

  #write(call: CallView, state: string): WrittenCall {
    const { uuid: id, parties } = call;
    const extras = this.extras.get(id);
    if (state === "Dialing") this.#dialled.add(id);
    const consult = extras?.consult === true && state !== "Dialing" ? ["SwapCalls", "CompleteTransfer"] : [];
    const others = parties.filter(({ name }) => name !== this.#dn);
    return {
      id,
      state,
      callUuid: id,
      connId: "0071027198180011",
      deviceUri: "http://127.0.0.1/api/v2/devices/1",
      participants: others.map(({ name }) => ({
        e164Number: "",
        formattedPhoneNumber: name,
        phoneNumber: name,
        digits: name,
      })),
      dnis: extras?.dnis ?? this.#dn,
      callType: this.#dialled.has(id) ? "Outbound" : "Inbound",
      capabilities: [...(CAPABILITIES[state] ?? []), ...consult],
      userData: extras?.userData ?? {},
      duration: "0",
      mute: "Off",
    };
  }
}

function stateOf(call: CallView, dn: string): string {
  const party = call.parties.find(({ name }) => name === dn);
  if (call.state === "connected") return party?.holding === true ? "Held" : "Established";
  return call.parties[0] === party ? "Dialing" : "Ringing";
}
