import { systemClock, type Clock } from "../../src/core/index.ts";

/**
 * What Workspace Web Edition does with its SIP endpoint (wwe-endpoint-and-gws-api.md A2, A3, part C): the login in the
 * order of the traces, one ping after the other, logout. It goes by the answers alone; what is wrong about them stands in
 * `faults`, so that a test has all of it at once.
 */

export interface WweAnswer {
  readonly status: number;
  readonly text: string;
}

/** What carries WWE's requests: Node with the preflights of Chrome, or a page in a real one. */
export interface WweTransport {
  /** Rejects where WWE's `$.ajax` fails: no answer, or one that the browser keeps from the page. */
  request(method: "GET" | "POST", url: string, body?: string): Promise<WweAnswer>;
}

export interface FakeWweOptions {
  /** WWE's option for the endpoint's address, without a slash at its end. */
  readonly base: string;
  readonly transport: WweTransport;
  /** As in `RegisterDn`: parallel, two of each for Business Continuity. */
  readonly addresses: readonly string[];
  readonly users: readonly string[];
  /** Whether SIP Server has answered the DN's REGISTER with 200, by SIP Server's own account. */
  readonly inService: () => boolean;
  readonly clock?: Clock;
  /** WWE's option `register-interval`, ms; default 1500. */
  readonly registerIntervalMs?: number;
  /** WWE's option `register-max-attempts`; default 10. */
  readonly registerAttempts?: number;
  /** WWE's option `ping-interval`, ms; default 2000. */
  readonly pingMs?: number;
  /** Put over the options of `SetOptions` as they were seen. */
  readonly options?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * `active`: the endpoint says that SIP Server has the DN; `already`: it said so when it was first asked; `refused`:
 * `RegisterDnResult` false; `gave-up`: it did not within `register-max-attempts`; `broken`: an answer was none.
 */
export type LoginEnd = "active" | "already" | "refused" | "gave-up" | "broken";

export interface WweExchange {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body: string | undefined;
  readonly status: number;
  readonly text: string;
  /** When the answer was there, ms of the clock. */
  readonly at: number;
}

const REGISTER_INTERVAL_MS = 1500;
const REGISTER_ATTEMPTS = 10;
const PING_MS = 2000;
const FAILED_PINGS = 10;

export class FakeWwe {
  readonly exchanges: WweExchange[] = [];
  /** What was not as WWE and SIP Server have it, in words. */
  readonly faults: string[] = [];
  pings = 0;
  /** Pings that failed, one after the other; at ten WWE takes the endpoint for lost. */
  failedPings = 0;
  lost = false;
  readonly #options: FakeWweOptions;
  readonly #clock: Clock;
  readonly #registerIntervalMs: number;
  readonly #registerAttempts: number;
  readonly #pingMs: number;
  #pinging: { on: boolean } = { on: false };

  constructor(options: FakeWweOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#registerIntervalMs = options.registerIntervalMs ?? REGISTER_INTERVAL_MS;
    this.#registerAttempts = options.registerAttempts ?? REGISTER_ATTEMPTS;
    this.#pingMs = options.pingMs ?? PING_MS;
  }

  /** Steps 1 to 9. */
  async login(): Promise<LoginEnd> {
    const dn = await this.#get("/GetDnSIP");
    const found = member(dn, "get_DnSIPResult");
    if (typeof found !== "string") return "broken";
    if (found !== "") {
      this.#startPings();
      return "already";
    }
    await this.#post("/SetOptions", { value: this.#setOptions() }, "{}");
    await this.#post(
      "/SetSIPEndpointParameters",
      { value: [{ Key: "SipEndpointTransportProtocol", Value: "UDP" }] },
      "{}",
    );
    const { addresses, users } = this.#options;
    const registered = await this.#post("/RegisterDn/", { addresses, users });
    const accepted = member(registered, "RegisterDnResult");
    if (accepted !== true) return accepted === false ? "refused" : "broken";
    if (!(await this.#untilActive())) return "gave-up";
    await this.#post("/SetPingPeriod", { value: this.#pingMs }, "{}");
    this.#startPings();
    return "active";
  }

  /** Step 10. */
  async logout(): Promise<void> {
    this.stop();
    await this.#post("/UnregisterDn", {}, '{"UnregisterDnResult":true}');
  }

  /** WWE's page goes without a word: no ping comes any more. */
  stop(): void {
    this.#pinging.on = false;
    this.#pinging = { on: false };
  }

  async active(): Promise<boolean> {
    return this.#readActive(await this.#get("/GetIsEndpointActive"));
  }

  /** One of the further commands; resolves with what its answer says. @param body undefined: GET */
  async command(name: string, body?: object): Promise<unknown> {
    return body === undefined ? await this.#get(`/${name}`) : await this.#post(`/${name}`, body);
  }

  /** Resolves when that many pings have been answered since the login. */
  async pinged(count: number): Promise<void> {
    while (this.pings < count && !this.lost) await this.#wait(20);
  }

  #setOptions(): Readonly<Record<string, string | number | boolean>> {
    return {
      uri: this.#options.base,
      "sip-server-address": this.#options.addresses[0] ?? "",
      "register-interval": this.#registerIntervalMs,
      "register-max-attempts": this.#registerAttempts,
      "wait-user-max-attempts": 20,
      "ping-interval": this.#pingMs,
      "max-failed-ping": FAILED_PINGS,
      "transport-protocol": "UDP",
      "headset-unplugged-set-not-ready": true,
      noise_suppression: "1",
      "policy.session.agc_mode": "1",
      "policy.session.noise_suppression": "1",
      "policy.session.auto_answer": "0",
      ...this.#options.options,
    };
  }

  /** Steps 6 and 7: both are asked at once, each `register-interval`, `register-max-attempts` times. */
  async #untilActive(): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      const [active, parameters] = await Promise.all([this.active(), this.#get("/GetSIPEndpointParameters")]);
      this.#checkParameters(parameters);
      if (active || attempt === this.#registerAttempts) return active;
      await this.#wait(this.#registerIntervalMs);
    }
  }

  #readActive(answer: unknown): boolean {
    const active = member(answer, "get_IsEndpointActiveResult");
    if (typeof active !== "boolean") this.#fault(`GetIsEndpointActive says ${JSON.stringify(answer)}`);
    // As it was before the answer came can only be asked now: true must have been true by then.
    if (active === true && !this.#options.inService()) this.#fault("active before SIP Server's 200");
    return active === true;
  }

  #checkParameters(answer: unknown): void {
    const list: unknown = member(answer, "get_SIPEndpointParametersResult");
    const pairs = Array.isArray(list) ? list : [];
    const told = new Map(pairs.map((pair: unknown) => [member(pair, "Key"), member(pair, "Value")] as const));
    const status = told.get("EndpointStatus");
    if (status !== "EndpointStatus_NotReady" && status !== "EndpointStatus_Ready")
      this.#fault(`EndpointStatus ${JSON.stringify(status)}`);
    if (status === "EndpointStatus_Ready" && !this.#options.inService())
      this.#fault("EndpointStatus_Ready before SIP Server's 200");
    if (told.get("IsPingMandatory") !== false)
      this.#fault(`IsPingMandatory ${JSON.stringify(told.get("IsPingMandatory"))}`);
    if (typeof told.get("Status") !== "string") this.#fault("no Status");
  }

  #startPings(): void {
    this.stop();
    const turn = { on: true };
    this.#pinging = turn;
    this.pings = 0;
    void this.#ping(turn);
  }

  /** Step 9: the next one is due when the former has ended. */
  async #ping(turn: { on: boolean }): Promise<void> {
    while (turn.on && !this.lost) {
      await this.#wait(this.#pingMs);
      if (!turn.on) return;
      const answered = await this.#send("GET", "/Ping").catch(() => undefined);
      if (!turn.on) return;
      if (answered?.status === 200) {
        this.pings++;
        this.failedPings = 0;
        if (answered.text !== '{"PingResult":[]}') this.#fault(`Ping says ${answered.text}`);
      } else if (++this.failedPings >= FAILED_PINGS) this.lost = true;
    }
  }

  async #get(path: string): Promise<unknown> {
    return this.#read(path, await this.#send("GET", path));
  }

  async #post(path: string, body: object, exactly?: string): Promise<unknown> {
    const answer = await this.#send("POST", path, JSON.stringify(body));
    if (exactly !== undefined && answer.text !== exactly) this.#fault(`${path} says ${answer.text}`);
    return this.#read(path, answer);
  }

  /** Answers are compact JSON in a 200 (C3: their sizes stand in the product's log). */
  #read(path: string, { status, text }: WweAnswer): unknown {
    if (status !== 200) {
      this.#fault(`${path} answers ${status}`);
      return undefined;
    }
    try {
      const value: unknown = JSON.parse(text);
      if (JSON.stringify(value) !== text) this.#fault(`${path} is not compact: ${text}`);
      return value;
    } catch {
      this.#fault(`${path} answers no JSON: ${text}`);
      return undefined;
    }
  }

  async #send(method: "GET" | "POST", path: string, body?: string): Promise<WweAnswer> {
    const { base, transport } = this.#options;
    const { status, text } = await transport.request(method, `${base}${path}`, body);
    this.exchanges.push({ method, path, body, status, text, at: this.#clock.now() });
    return { status, text };
  }

  #fault(text: string): void {
    this.faults.push(text);
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => void this.#clock.setTimer(ms, resolve));
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
