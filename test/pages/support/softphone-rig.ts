import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { contentSecurityPolicy } from "../../../src/ws/index.ts";
import { FakeGateway, type SipText } from "../../browser/support/fake-gateway.ts";
import {
  launchBrowser,
  serveFolder,
  type PageServer,
  type TestBrowser,
} from "../../browser/support/index.ts";

const built = join(import.meta.dirname, "..", "..", "..", "web", "dist");

/** The built softphone page, a gateway scripted by the test behind it, one Chromium for all tests of a file. */
export class SoftphoneRig {
  #browser: TestBrowser | undefined;
  #server: PageServer | undefined;
  #gateway: FakeGateway | undefined;
  #page: Page | undefined;
  #before = 0;

  /** @param more answers requests beside the page's, and says whether it does */
  constructor(more?: Parameters<typeof serveFolder>[3]) {
    beforeAll(async () => {
      this.#browser = await launchBrowser();
    });
    beforeEach(async () => {
      const policy = { "content-security-policy": contentSecurityPolicy() };
      this.#server = await serveFolder(built, policy, undefined, more);
      this.#gateway = new FakeGateway(this.#server.server, "secret");
      this.#before = this.browser.errors.length;
    });
    afterEach(async () => {
      await this.#page?.close();
      this.gateway.close();
      await this.#server?.close();
    });
    afterAll(async () => await this.#browser?.close());
  }

  get browser(): TestBrowser {
    return there(this.#browser);
  }

  get gateway(): FakeGateway {
    return there(this.#gateway);
  }

  get page(): Page {
    return there(this.#page);
  }

  /** Where the page is served. */
  get origin(): string {
    return there(this.#server).origin;
  }

  /** What this test's page threw or logged as an error. */
  get errors(): readonly string[] {
    return this.browser.errors.slice(this.#before);
  }

  /** @param path after the origin, with the fragment */
  async open(path = "/"): Promise<void> {
    this.#page = await this.browser.open(`${this.origin}${path}`);
  }

  async signIn(path = "/"): Promise<void> {
    await this.open(path);
    await this.page.getByLabel("Your number (DN)").fill("5001");
    await this.page.getByLabel("Password").fill("secret");
    await this.page.keyboard.press("Enter");
    await this.state("app", "registered");
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  async state(id: string, wanted: string): Promise<void> {
    const found = this.page.locator(`[data-testid="${id}"][data-state="${wanted}"]`);
    await found.waitFor({ state: "attached" });
  }

  async text(id: string): Promise<string> {
    return (await this.page.getByTestId(id).textContent()) ?? "";
  }

  async shows(id: string, text: string): Promise<void> {
    await expect.poll(async () => await this.text(id)).toContain(text);
  }

  /** Waits until the page has sent what is looked for. */
  async sent(look: (message: SipText) => boolean): Promise<SipText> {
    const find = (): SipText | undefined => this.gateway.received.findLast(look);
    await expect.poll(find).toBeTruthy();
    return there(find());
  }

  /** Rings the page and waits until it shows it. @returns the Call-ID */
  async ring(from = "5002", headers: readonly string[] = []): Promise<string> {
    const callId = this.gateway.invite(from, headers);
    await this.state("call", "ringing");
    return callId;
  }

  /** The page has answered this call of the gateway's: so does the gateway. */
  async connect(callId: string): Promise<void> {
    await this.sent((one) => one.name === "200" && one.header("Call-ID") === callId && one.body !== "");
    this.gateway.acknowledge(callId);
    await this.state("call", "talking");
  }

  async talking(from = "5002", headers: readonly string[] = []): Promise<string> {
    const callId = await this.ring(from, headers);
    await this.button("Answer").click();
    await this.connect(callId);
    return callId;
  }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("not there yet");
  return value;
}
