import { silentLogger } from "../../src/core/index.ts";
import { createRegistrar, type AgentRegistrar, type Registrar } from "../../src/registrar/index.ts";
import { createRequest, type Flow, type SipResponse } from "../../src/sip/index.ts";
import { B2buaBench, FarEnd } from "./b2bua-bench.ts";
import { CountingRandom } from "./counting-random.ts";
import { browserSdp } from "./descriptions.ts";

const gatewayWs = "gateway.invalid:0";

/** A page of the agent's: its SIP stack and the gateway's flow to it. */
export interface BenchPage {
  readonly end: FarEnd;
  readonly flow: Flow & { open: boolean };
  readonly instance: string;
}

/** A bench with the real registrar, on which pages come, are loaded anew and vanish. */
export class ReloadBench extends B2buaBench {
  declare registrar: AgentRegistrar;
  readonly pages: BenchPage[] = [];
  readonly #allowEvents: string;

  constructor(options: { resumes: boolean; moreEvents?: string; trace?: object } = { resumes: true }) {
    super(options.trace ? { trace: options.trace } : {});
    const { moreEvents = "" } = options;
    this.#allowEvents = (options.resumes ? "talk, x-jackfield-resume" : "x-other") + moreEvents;
    const first = { end: this.browser, flow: this.toBrowser, instance: "urn:uuid:1" };
    this.pages.push(first);
    this.signIn(first);
  }

  protected override makeRegistrar(): Registrar {
    const digest = {
      challenge: () => [],
      verify: () => ({ outcome: "accepted", username: "5001", stale: false }) as const,
    };
    this.registrar = createRegistrar({
      digest,
      accounts: { has: () => true },
      hasCall: (dn, instance) => this.b2bua.hasCall(dn, instance),
      clock: this.clock,
      random: new CountingRandom("registrar"),
      log: silentLogger,
    });
    return this.registrar;
  }

  get page(): BenchPage {
    const page = this.pages.at(-1);
    if (!page) throw new Error("no page");
    return page;
  }

  /** Signs the page in; returns the answer's status. */
  signIn({ end, flow, instance }: BenchPage, expires = 3600): number {
    let answer: SipResponse | undefined;
    const request = createRequest({
      method: "REGISTER",
      uri: "sip:jackfield",
      headers: [
        ["From", "<sip:5001@jackfield>;tag=1"],
        ["To", "<sip:5001@jackfield>"],
        ["Call-ID", `register ${end.address}`],
        ["CSeq", `${this.clock.now() + 1} REGISTER`],
        ["Contact", `<sip:abc@xyz.invalid;transport=ws>;+sip.instance="<${instance}>"`],
        ["Expires", String(expires)],
        ["Allow-Events", this.#allowEvents],
      ],
    });
    const transaction = { request, flow, respond: (response: SipResponse) => (answer = response) };
    this.registrar.handleRegister(transaction as never);
    return answer?.status ?? 0;
  }

  /** A page that nobody is signed in at yet. */
  open(instance = "urn:uuid:1"): BenchPage {
    const address = `browser${this.pages.length + 1}.invalid:0`;
    const end = new FarEnd(address, this.clock, (made) =>
      this.network.flow(
        made.address,
        gatewayWs,
        () => this.layer,
        () => flow,
        "WSS",
      ),
    );
    const flow: Flow & { open: boolean } = this.network.flow(
      gatewayWs,
      address,
      () => end.layer,
      () => end.flow,
      "WSS",
    );
    const page = { end, flow, instance };
    this.pages.push(page);
    return page;
  }

  /** The page is no more, or its network is: it says nothing, and the gateway finds its socket closed. */
  async vanish(page = this.page): Promise<void> {
    const deaf = { open: false, send: () => {} };
    Object.assign(page.flow, deaf);
    Object.assign(page.end.flow, deaf);
    this.layer.flowClosed(page.flow);
    this.registrar.flowClosed(page.flow);
    this.b2bua.connectionLost();
    await this.pass();
  }

  /** The page goes; another with its instance signs in. It knows no calls, as after a reload. */
  async reload(): Promise<BenchPage> {
    await this.vanish();
    const page = this.open();
    this.signIn(page);
    await this.pass();
    return page;
  }

  /** The page takes a call over. */
  async resume(token: string, page = this.page, sdp: string = browserSdp({ ufrag: "efgh" })): Promise<void> {
    page.end.call("sip:resume@jackfield", "<sip:5001@jackfield>", sdp, [["X-Jackfield-Resume", token]]);
    await this.pass();
  }

  /** The token of the INVITE or 200 that the gateway sent last. */
  get token(): string {
    const found = this.network.sent
      .filter(({ from }) => from === gatewayWs)
      .map(({ text }) => /^X-Jackfield-Resume: (.+)$/im.exec(text)?.[1])
      .findLast((value) => value !== undefined);
    if (found === undefined) throw new Error("no token was handed out");
    return found.trim();
  }

  /** What SIP Server was sent so far, by first line. */
  get toSipServer(): string[] {
    return this.network.startLines("192.0.2.20:5070");
  }
}
