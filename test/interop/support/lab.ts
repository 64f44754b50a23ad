import type { CallRecord } from "../../../src/b2bua/index.ts";
import type { Gateway } from "../../../src/cli/index.ts";
import { BrowserDouble, type BrowserDoubleOptions } from "../../support/browser-double.ts";
import { openTestGateway } from "../../support/test-gateway.ts";
import { SipFront } from "./front.ts";
import { until } from "./rtp-phone.ts";
import { Sipp } from "./sipp.ts";

/** A gateway whose SIP Server is a front with SIPp behind it. Tests of one lab run side by side, each on its own DN. */
export class Lab {
  readonly front: SipFront;
  readonly gateway: Gateway;
  readonly records: CallRecord[] = [];
  readonly #programs: Sipp[] = [];
  readonly #browsers: BrowserDouble[] = [];

  private constructor(front: SipFront, gateway: Gateway) {
    this.front = front;
    this.gateway = gateway;
    gateway.onCallRecord((record) => this.records.push(record));
  }

  static async open(config: Readonly<Record<string, object>> = {}): Promise<Lab> {
    const front = await SipFront.open();
    return new Lab(front, await openTestGateway({ sipServer: front.address, config }));
  }

  /** `address:port` of the gateway's SIP socket. */
  get address(): string {
    return `127.0.0.1:${this.gateway.sipPort}`;
  }

  async sipp(
    scenario: string,
    keys: Readonly<Record<string, string | number>> = {},
    more: { readonly seconds?: number; readonly echoPort?: number } = {},
  ): Promise<Sipp> {
    const { front, address } = this;
    const program = await Sipp.start({ scenario, front, gateway: address, keys, ...more });
    this.#programs.push(program);
    return program;
  }

  /** SIPp as the registrar of this DN. */
  async registrar(scenario: string, dn: string, seconds = 20): Promise<Sipp> {
    const program = await this.sipp(scenario, { dn }, { seconds });
    this.front.registrars.set(dn, program.port);
    return program;
  }

  /** From now on the front itself takes this DN's REGISTERs. */
  release(dn: string): void {
    this.front.registrars.delete(dn);
  }

  async signIn(dn: string, options: Partial<BrowserDoubleOptions> = {}): Promise<BrowserDouble> {
    const browser = await BrowserDouble.signIn({
      url: `ws://127.0.0.1:${this.gateway.httpPort}/ws`,
      dn,
      codec: "pcmu",
      allowEvents: "talk, x-jackfield-trunk",
      ...options,
    });
    this.#browsers.push(browser);
    return browser;
  }

  /** An agent whose DN is registered at SIP Server. */
  async agent(dn: string, options: Partial<BrowserDoubleOptions> = {}): Promise<BrowserDouble> {
    const browser = await this.signIn(dn, options);
    await browser.trunkState("in-service");
    return browser;
  }

  /** The record of the DN's first call; it is written a moment after the call's end, when the counters are in. */
  async record(dn: string): Promise<CallRecord> {
    await until(`record of ${dn}`, () => this.records.some((record) => record.dn === dn));
    const found = this.records.find((record) => record.dn === dn);
    if (!found) throw new Error("no record");
    return found;
  }

  async close(): Promise<void> {
    this.front.registrars.clear();
    await Promise.all(this.#programs.map((program) => program.stop()));
    await Promise.all(this.#browsers.map((browser) => browser.close()));
    await this.gateway.close();
    await this.front.close();
  }
}
