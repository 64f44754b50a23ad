import { setTimeout as wait } from "node:timers/promises";
import type { CallRecord } from "../../../src/b2bua/index.ts";
import type { Gateway } from "../../../src/cli/index.ts";
import type { CallView, PartyView, RecordedPacket, Sandbox } from "../../../src/sandbox/index.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../../support/test-gateway.ts";
import { launchBrowser, type BrowserOptions, type TestBrowser } from "./browser.ts";
import { asSamples, decodeOpus, heardByNumber } from "./hearing.ts";
import type { Account, ClientName } from "./page/contract.ts";
import { serveTestPages, type PageServer } from "./pages.ts";
import { openPhone, type PhonePage, type WireFrame } from "./phone-page.ts";
import { shareOfTone, type Samples } from "./samples.ts";

export const clients = ["jssip", "sip.js"] as const;

type Sections = Readonly<Record<string, object>>;

/** A test page and what went through its WebSocket, oldest first. */
export interface WiredPhone {
  readonly phone: PhonePage;
  readonly dn: string;
  /** SIP messages as they came and went. */
  readonly received: readonly string[];
  readonly sent: readonly string[];
}

/** Browser, test pages, gateway and SIP Server of one test file; each call of `signIn` takes a DN of its own. */
export class Lab {
  readonly browser: TestBrowser;
  readonly pages: PageServer;
  readonly sandbox: Sandbox;
  readonly gateway: Gateway;
  /** Records of the calls that are over. */
  readonly records: CallRecord[] = [];
  readonly #phones: PhonePage[] = [];
  #nextDn = 5001;

  private constructor(browser: TestBrowser, pages: PageServer, sandbox: Sandbox, gateway: Gateway) {
    this.browser = browser;
    this.pages = pages;
    this.sandbox = sandbox;
    this.gateway = gateway;
    gateway.onCallRecord((record) => this.records.push(record));
  }

  /**
   * @param media merged over the test configuration's `media` section; `config`: over its other sections, perhaps told
   *   the pages' origin
   */
  static async open(
    media: Readonly<Record<string, unknown>> = {},
    browserOptions: BrowserOptions = {},
    config: Sections | ((origin: string) => Sections) = {},
  ): Promise<Lab> {
    const pages = await serveTestPages();
    const sandbox = await openTestSandbox();
    const gateway = await openTestGateway({
      sipServer: `127.0.0.1:${sandbox.port}`,
      config: {
        websocket: { origins: [pages.origin] },
        media,
        ...(typeof config === "function" ? config(pages.origin) : config),
      },
    });
    return new Lab(await launchBrowser(browserOptions), pages, sandbox, gateway);
  }

  account(dn: string): Account {
    const server = `ws://127.0.0.1:${this.gateway.httpPort}/ws`;
    return { server, dn, password: testPassword(dn), encoded: true };
  }

  nextDn(): string {
    return String(this.#nextDn++);
  }

  /** A page with the client, not signed in yet. */
  async open(client: ClientName): Promise<WiredPhone> {
    const phone = await openPhone(this.browser, this.pages, client);
    this.#phones.push(phone);
    const received: string[] = [];
    const sent: string[] = [];
    phone.page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => received.push(payload.toString()));
      socket.on("framesent", ({ payload }) => sent.push(payload.toString()));
    });
    return { phone, dn: this.nextDn(), received, sent };
  }

  /** A page signed in with the next DN, in service at SIP Server, its microphone silent. */
  async signIn(client: ClientName, more: Partial<Account> = {}): Promise<WiredPhone> {
    const wired = await this.open(client);
    await wired.phone.register({ ...this.account(wired.dn), ...more });
    await wired.phone.setMicrophone({ kind: "silence" });
    await until(() => this.gateway.trunkRegistrations.status(wired.dn).state === "in-service");
    return wired;
  }

  /** Calls `number` and waits until SIP Server has it connected; resolves with the call's UUID. */
  async call({ phone, dn }: WiredPhone, number: string): Promise<string> {
    await phone.call(number);
    return await this.connected(dn);
  }

  /** SIP Server calls the DN, the client answers; resolves with the call's UUID. */
  async beCalled(wired: WiredPhone, options?: Parameters<Sandbox["ring"]>[2]): Promise<string> {
    const uuid = await this.sandbox.ring(wired.dn, "1003", options);
    await wired.phone.nextCall();
    await wired.phone.answer();
    await this.connected(wired.dn);
    return uuid;
  }

  async connected(dn: string): Promise<string> {
    const found = await until(() => this.callOf(dn)?.state === "connected" && this.callOf(dn));
    return found.uuid;
  }

  callOf(dn: string): CallView | undefined {
    return this.sandbox.calls().find(({ parties }) => parties.some(({ name }) => name === dn));
  }

  /** The far number of a call; throws when there is none. */
  farOf(uuid: string): NonNullable<PartyView["media"]> {
    const call = this.sandbox.calls().find((one) => one.uuid === uuid);
    const media = call?.parties.find(({ kind }) => kind === "number")?.media;
    if (!media) throw new Error(`no number in call ${uuid}`);
    return media;
  }

  /** Sound payloads (no telephone-event) that the far number got since `record`. */
  soundOf(uuid: string): readonly RecordedPacket[] {
    return this.sandbox.recording(uuid).filter(({ payloadType }) => payloadType < 96);
  }

  /**
   * What browser and far number get of the call for half a second, after a moment for what was on its way; empty where
   * no packet came. The browser's is taken from the frames it got, decoded here: what its track gives to scripts has
   * concealment in it, and nothing any more once a call was on hold (it plays it, though).
   */
  async listen(
    { phone }: WiredPhone,
    uuid: string,
    law: "pcmu" | "pcma" = "pcmu",
  ): Promise<{ here: Samples; there: Samples }> {
    await wait(250);
    await phone.clearEncodedFrames();
    this.sandbox.record(uuid);
    await wait(500);
    const frames = (await phone.encodedFrames()).filter(({ side }) => side === "received");
    const there = heardByNumber(this.soundOf(uuid), law);
    return { here: asSamples(await decodeOpus(frames)), there: asSamples(there) };
  }

  /**
   * Which share of what browser (`here`) and far number (`there`) hear is the tone they should hear, Hz: of 300 ms that
   * came after a moment for what was on its way, taken again until both are above 0.9, for twenty seconds at most. On two
   * busy cores a look may meet single late frames; what counts is that the sound is whole again.
   */
  async sharesOf(
    { phone }: WiredPhone,
    uuid: string,
    tones: { readonly here: number; readonly there: number },
    law: "pcmu" | "pcma" = "pcmu",
  ): Promise<{ here: number; there: number }> {
    const end = performance.now() + patienceMs;
    await wait(100);
    for (;;) {
      await phone.clearEncodedFrames();
      this.sandbox.record(uuid);
      const frames = await framesOf(phone, enoughFrames);
      await until(() => this.soundOf(uuid).length >= enoughFrames);
      const here = shareOfTone(asSamples(await decodeOpus(frames)), tones.here);
      const there = shareOfTone(asSamples(heardByNumber(this.soundOf(uuid), law)), tones.there);
      if ((here > 0.9 && there > 0.9) || performance.now() > end) return { here, there };
    }
  }

  /** The record of this DN's last call, once written. */
  async record(dn: string): Promise<CallRecord> {
    return await until(() => this.records.findLast((record) => record.dn === dn));
  }

  /** Closes the pages a test has opened and waits until no call is left. */
  async closePhones(): Promise<void> {
    for (const phone of this.#phones.splice(0)) await phone.close();
    for (const { uuid } of this.sandbox.calls()) this.sandbox.hangUp(uuid);
    await until(() => this.gateway.counts.mediaSessions === 0);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.gateway.close();
    await this.sandbox.close();
    await this.pages.close();
  }
}

const patienceMs = 20_000;
/** Of 20 ms each: six windows of `shareOfTone`. */
const enoughFrames = 15;

/** Frames the browser got since they were last cleared, once there are so many. */
export async function framesOf(phone: PhonePage, count: number): Promise<readonly WireFrame[]> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const frames = (await phone.encodedFrames()).filter(({ side }) => side === "received");
    if (frames.length >= count) return frames;
    if (performance.now() > end) throw new Error(`not ${count} frames within ${patienceMs} ms`);
    await wait(20 * (count - frames.length));
  }
}

/** Waits until `look` finds something, at most twenty seconds; throws what it looked for. */
export async function until<T>(look: () => T | undefined | false | "" | 0): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const found = look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`not within ${patienceMs} ms: ${String(look)}`);
    await wait(10);
  }
}
