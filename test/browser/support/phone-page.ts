import type { Page } from "playwright-core";
import type { TestBrowser } from "./browser.ts";
import type {
  Account,
  CallEnd,
  ClientName,
  EncodedFrame,
  IncomingCall,
  Microphone,
  Notification,
} from "./page/contract.ts";
import type { PageServer } from "./pages.ts";
import { decodeSound, encodeSound, type Samples } from "./samples.ts";

/** A frame as it went over the wire; for G.711 one byte per sample. */
export type WireFrame = Omit<EncodedFrame, "base64"> & { readonly data: Uint8Array };

/** A test page with a SIP client in it, driven from the test. What each does: `page/contract.ts`. */
export class PhonePage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Rejects with a message that holds the status code when refused. */
  async register(account: Account): Promise<void> {
    await this.page.evaluate(async (to) => await window.testPhone.sip.register(to), account);
  }

  async registered(): Promise<void> {
    await this.page.evaluate(async () => await window.testPhone.sip.registered());
  }

  async unregister(): Promise<void> {
    await this.page.evaluate(async () => await window.testPhone.sip.unregister());
  }

  async cutSocket(): Promise<void> {
    await this.page.evaluate(() => window.testPhone.sip.cutSocket());
  }

  /** Resolves when answered, rejects with the status code in the message when refused. */
  async call(number: string, extraHeaders: readonly string[] = []): Promise<void> {
    await this.page.evaluate(async ([to, headers]) => await window.testPhone.sip.call(to, headers), [
      number,
      extraHeaders,
    ] as const);
  }

  async nextCall(): Promise<IncomingCall> {
    return await this.page.evaluate(async () => await window.testPhone.sip.nextCall());
  }

  async answer(): Promise<void> {
    await this.page.evaluate(async () => await window.testPhone.sip.answer());
  }

  async reject(status: number): Promise<void> {
    await this.page.evaluate((code) => window.testPhone.sip.reject(code), status);
  }

  async hangUp(): Promise<void> {
    await this.page.evaluate(() => window.testPhone.sip.hangUp());
  }

  async ended(): Promise<CallEnd> {
    return await this.page.evaluate(async () => await window.testPhone.sip.ended());
  }

  async hold(on: boolean): Promise<void> {
    await this.page.evaluate(async (wanted) => await window.testPhone.sip.hold(wanted), on);
  }

  async transfer(number?: string): Promise<number> {
    return await this.page.evaluate(async (to) => await window.testPhone.sip.transfer(to), number);
  }

  async sendDigits(digits: string, by: "rfc4733" | "info" = "rfc4733"): Promise<void> {
    await this.page.evaluate(([wanted, way]) => window.testPhone.sip.sendDigits(wanted, way), [
      digits,
      by,
    ] as const);
  }

  async notifications(): Promise<readonly Notification[]> {
    return await this.page.evaluate(() => window.testPhone.sip.notifications());
  }

  async setMicrophone(microphone: Microphone): Promise<void> {
    await this.page.evaluate(async (wanted) => await window.testPhone.setMicrophone(wanted), microphone);
  }

  /** Sends the samples as the microphone; resolves when the last one was sent. */
  async play(sound: Samples): Promise<void> {
    await this.page.evaluate(async (wanted) => await window.testPhone.play(wanted), encodeSound(sound));
  }

  async startRecording(): Promise<void> {
    await this.page.evaluate(() => window.testPhone.record());
  }

  /** What the far end sent since `startRecording`, as the browser plays it. */
  async recorded(): Promise<Samples> {
    return decodeSound(await this.page.evaluate(() => window.testPhone.recorded()));
  }

  /** Encoded frames of the calls so far; needs `encoded: true` in the account. */
  async encodedFrames(): Promise<readonly WireFrame[]> {
    const frames = await this.page.evaluate(() => window.testPhone.encodedFrames());
    return frames.map(({ base64, ...rest }) => ({ ...rest, data: Buffer.from(base64, "base64") }));
  }

  async clearEncodedFrames(): Promise<void> {
    await this.page.evaluate(() => window.testPhone.clearEncodedFrames());
  }

  /** The current call's `getStats`, all objects. */
  async stats(): Promise<readonly Record<string, unknown>[]> {
    return await this.page.evaluate(async () => await window.testPhone.stats());
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}

/** Opens a page with the SIP client named; `loopback` (no SIP) only where the pages were served with it. */
export async function openPhone(
  browser: TestBrowser,
  pages: PageServer,
  client: ClientName | "loopback",
): Promise<PhonePage> {
  return new PhonePage(await browser.open(`${pages.origin}/${client}`));
}
