import type { Page } from "playwright-core";
import type { Gateway } from "../../../../src/cli/index.ts";
import type { Sandbox } from "../../../../src/sandbox/index.ts";
import { until, type TestBrowser } from "../../../browser/support/index.ts";
import { testPassword } from "../../../support/test-gateway.ts";
import { sizes, type Camera, type Shot, type Size } from "./camera.ts";

export interface Stage {
  readonly browser: TestBrowser;
  readonly gateway: Gateway;
  readonly sandbox: Sandbox;
  readonly camera: Camera;
  readonly origin: string;
}

const all: readonly Size[] = [sizes.window, sizes.gadget, sizes.frame];
const wide: Readonly<Record<string, Shot>> = { "": { size: sizes.window } };
const frame: Readonly<Record<string, Shot>> = { "": { size: sizes.frame } };
const both: Readonly<Record<string, Shot>> = { ...wide, small: { size: sizes.gadget } };

const caller = [
  ["P-Asserted-Identity", '"Katharina Schwarzenberger" <sip:+493012345678@example.com>'],
  ["X-Genesys-Customer", "K-2048-771"],
  ["X-Genesys-Reason", "Invoice of 3 November"],
] as const;

/** Of nobody's call, to see what does not fit. */
const longWords = [
  [
    "P-Asserted-Identity",
    '"Dr. Maximilian-Alexander Freiherr von Donaudampfschifffahrtsgesellschaftskapitän" <sip:+493012345678@example.com>',
  ],
  ["X-Genesys-Rechtsschutzversicherungsgesellschaft", "A".repeat(180)],
  ...Array.from({ length: 12 }, (_, at) => [`X-Genesys-Datum-${at}`, `value ${at}`] as const),
] as const;

export async function signIn(page: Page, dn: string): Promise<void> {
  await page.getByLabel("Your number (DN)").fill(dn);
  await page.getByLabel("Password").fill(testPassword(dn));
  await page.keyboard.press("Enter");
  await page.locator('[data-testid="lamp-trunk"][data-state="in-service"]').waitFor({ state: "attached" });
}

const button = (page: Page, name: string): ReturnType<Page["getByRole"]> =>
  page.getByRole("button", { name, exact: true });

async function state(page: Page, wanted: string): Promise<void> {
  await page.locator(`[data-testid="call"][data-state="${wanted}"]`).waitFor({ state: "attached" });
}

async function dial(page: Page, number: string): Promise<void> {
  await page.getByLabel("Number to call").fill(number);
  await page.keyboard.press("Enter");
  await state(page, "talking");
}

/** Every state of the softphone, on a gateway and a SIP Server that are what they seem. */
export async function softphonePictures(stage: Stage): Promise<void> {
  const { browser, camera, origin } = stage;
  const page = await browser.open(origin);
  await camera.take(page, "softphone-sign-in", wide, all);
  await page.getByLabel("Your number (DN)").fill("5001");
  await page.getByLabel("Password").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await camera.take(page, "softphone-wrong-password", frame, all);
  await signIn(page, "5001");
  await button(page, "Settings").click();
  await camera.take(page, "softphone-settings", { "": { size: [440, 1280] } }, all);
  await button(page, "Settings").click();
  await calls(stage, page);
  await button(page, "Keys").click();
  await camera.take(page, "softphone-keys", {}, all);
  await page.keyboard.press("Escape");
  await page.close();
  await audioOnly(stage);
  await lost(stage);
}

async function calls({ camera, sandbox, gateway }: Stage, page: Page): Promise<void> {
  // Two that are over, for the history.
  sandbox.hangUp(await sandbox.ring("5001", "004922855512"));
  await page.getByTestId("history-list").getByText("missed").first().waitFor();
  await dial(page, "9197");
  await button(page, "Hang up").click();
  await camera.take(page, "softphone-signed-in", both, all);
  const uuid = await sandbox.ring("5001", "+493012345678", { headers: caller });
  await state(page, "ringing");
  await camera.take(page, "softphone-ringing", { ...both, dark: { size: sizes.frame, dark: true } }, all);
  await button(page, "Answer").click();
  await state(page, "talking");
  // As long as the curve takes to be one.
  await page.waitForTimeout(14_000);
  await page.getByTestId("quality-to-caller").getByText("good").waitFor();
  await camera.take(
    page,
    "softphone-in-call",
    { ...both, frame: { size: sizes.frame }, dark: { size: sizes.window, dark: true } },
    all,
  );
  await button(page, "Keypad").click();
  await page.keyboard.type("4711");
  await camera.take(page, "softphone-keypad", frame, all);
  await button(page, "Keypad").click();
  await button(page, "Hold").click();
  await button(page, "Retrieve").waitFor();
  await camera.take(page, "softphone-held", frame, all);
  await button(page, "Transfer").click();
  await page.getByLabel("Transfer to").fill("9196");
  await camera.take(page, "softphone-transfer", frame, all);
  await button(page, "Ask first").click();
  await state(page, "talking");
  await page.getByTestId("quality-to-caller").waitFor();
  await camera.take(page, "softphone-consult", frame, all);
  await sandbox.ring("5001", "+4989100200300");
  await page.locator('#other-calls [data-state="ringing"]').waitFor();
  await camera.take(page, "softphone-three-lines", frame, all);
  sandbox.hangUp(uuid);
  for (const call of sandbox.calls()) sandbox.hangUp(call.uuid);
  await until(() => gateway.counts.calls === 0);
  const long = await sandbox.ring("5001", "0049301234567890123456789012345", { headers: longWords });
  await state(page, "ringing");
  await camera.take(page, "softphone-long-words", {}, all);
  sandbox.hangUp(long);
  await until(() => gateway.counts.calls === 0);
}

async function audioOnly({ browser, camera, sandbox, gateway, origin }: Stage): Promise<void> {
  const page = await browser.open(`${origin}/#mode=audio`);
  await signIn(page, "5002");
  const uuid = await sandbox.ring("5002", "+493012345678", { headers: caller });
  await state(page, "ringing");
  await camera.take(page, "softphone-audio-only", { "": { size: sizes.gadget } }, all);
  sandbox.hangUp(uuid);
  await until(() => gateway.counts.calls === 0);
  await page.close();
}

/** In a call when the connection is lost. */
async function lost({ browser, camera, sandbox, gateway, origin }: Stage): Promise<void> {
  const page = await browser.open(origin);
  await page.routeWebSocket("**/ws", (socket) => {
    const server = socket.connectToServer();
    cut = (): void => {
      void server.close();
      void socket.close();
    };
  });
  let cut = (): void => undefined;
  await signIn(page, "5003");
  await dial(page, "9196");
  await page.routeWebSocket("**/ws", (socket) => void socket.close());
  cut();
  await page.getByTestId("alert").waitFor();
  await camera.take(page, "softphone-lost", frame, all);
  await page.close();
  for (const call of sandbox.calls()) sandbox.hangUp(call.uuid);
  await until(() => gateway.counts.calls === 0);
}

/** The softphone in the frame of the page that shows how to embed it. */
export async function embedPicture({ browser, camera, origin }: Stage): Promise<void> {
  const page = await browser.open(`${origin}/embed-example.html`);
  await page.getByTestId("log").getByText("ready").waitFor();
  const form = page.locator("form").first();
  await form.locator("[name=dn]").fill("5004");
  await form.locator("[name=password]").fill(testPassword("5004"));
  await page.getByTestId("sign_in").click();
  await page.getByTestId("log").getByText("registered").first().waitFor();
  await page.locator("[name=number]").first().fill("9196");
  await page.getByTestId("make_call").click();
  await page.getByTestId("log").getByText("call_accepted").first().waitFor();
  const laptop = [sizes.laptop, sizes.phone];
  await camera.take(page, "embed-example", { "": { size: sizes.laptop } }, laptop);
  await page.getByTestId("hangup").click();
  await page.close();
}
