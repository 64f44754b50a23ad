import { describe, expect, it } from "vitest";
import { SoftphoneRig } from "./support/softphone-rig.ts";

const rig = new SoftphoneRig();

async function transferTo(number: string): Promise<void> {
  await rig.button("Transfer").click();
  await rig.page.getByLabel("Transfer to").fill(number);
  await rig.button("Transfer now").click();
}

describe("a blind transfer", () => {
  it("is told in words from the offer to the end, and is remembered", async () => {
    await rig.signIn();
    const callId = await rig.talking();
    await transferTo("47 11");
    const refer = await rig.sent((one) => one.name === "REFER");
    expect(refer.header("Refer-To")).toMatch(/^<sip:4711@[^?]+>$/);
    await rig.shows("call-transfer", "Transfer to 4711: offered");
    rig.gateway.tellRefer("100 Trying");
    await rig.shows("call-transfer", "being called");
    expect(await rig.button("Transfer").getAttribute("aria-expanded")).toBe("false");
    rig.gateway.tellRefer("200 OK");
    await rig.shows("call-transfer", "Transferred to 4711");
    rig.gateway.bye(callId);
    await rig.state("call", "none");
    await rig.shows("history-list", "transferred to 4711");
    expect(await rig.page.getByRole("alert").isVisible()).toBe(false);
    expect(rig.errors).toEqual([]);
  });

  it("that is refused leaves the call running, says why, and can be tried again", async () => {
    await rig.signIn();
    const callId = await rig.talking();
    await rig.button("Hold").click();
    await rig.button("Retrieve").waitFor();
    await transferTo("4711");
    await rig.shows("call-transfer", "offered");
    rig.gateway.tellRefer("404 Not Found");
    await rig.state("call-transfer", "refused");
    await rig.shows("alert", "5002 was not transferred to 4711: There is no such number. (404 Not Found)");
    await rig.shows("alert", "on hold; retrieve it");
    await rig.button("Retrieve").click();
    await rig.button("Hold").waitFor();
    await transferTo("603");
    await rig.shows("call-transfer", "Not transferred to 603: The call was declined. (603");
    await rig.shows("alert", "The call goes on.");
    await rig.state("call", "talking");
    rig.gateway.bye(callId);
    await rig.state("call", "none");
    await rig.shows("history-list", "5002");
    expect(await rig.text("history-list")).not.toContain("transferred");
  });
});

describe("several lines", () => {
  it("asks first: the consult call is line 2, Complete transfer refers line 1 to it by Replaces", async () => {
    await rig.signIn();
    const first = await rig.talking();
    await rig.button("Transfer").click();
    await rig.page.getByLabel("Transfer to").fill("5003");
    await rig.button("Ask first").click();
    await rig.state("call", "alerting");
    // The gateway holds the first call when the second is answered.
    const second = rig.gateway.answer("5003");
    await rig.state("call", "talking");
    rig.gateway.notify("hold", [`X-Jackfield-Call-ID: ${first}`]);
    await rig.shows("other-calls", "15002: On hold");
    await rig.button("Complete transfer").click();
    const refer = await rig.sent((one) => one.name === "REFER");
    expect(refer.header("Call-ID")).toBe(first);
    expect(refer.header("Refer-To")).toContain(`?Replaces=${encodeURIComponent(second)}%3Bto-tag%3D`);
    rig.gateway.tellRefer("200 OK");
    rig.gateway.bye(first);
    await expect.poll(async () => await rig.page.getByTestId("other-calls").isVisible()).toBe(false);
    expect(await rig.text("call-peer")).toBe("5003");
    expect(rig.errors).toEqual([]);
  });

  it("dials a second call beside a held one, and shows the line that is switched to", async () => {
    await rig.signIn();
    const first = await rig.talking();
    await rig.button("Hold").click();
    await rig.button("New call").click();
    await rig.page.getByLabel("Number to call").fill("5003");
    await rig.page.keyboard.press("Enter");
    await rig.state("call", "alerting");
    rig.gateway.answer("5003");
    await rig.state("call", "talking");
    expect(await rig.text("call-peer")).toBe("5003");
    await rig.page.keyboard.press("Alt+1");
    await rig.shows("call-peer", "5002");
    await rig.button("Switch to 5003").waitFor();
    rig.gateway.bye(first);
    await rig.shows("call-peer", "5003");
  });
});

describe("numbers", () => {
  const data = ['P-Asserted-Identity: "Ann" <sip:+4930123@example.com>', "X-Callback: 0228 555-12"];

  it("in a call's data are filled in beside a call, and called at once without one", async () => {
    await rig.signIn();
    const callId = await rig.talking("5002", data);
    await rig.page.getByTitle("Call 022855512").click();
    expect(await rig.page.getByLabel("Number to call").inputValue()).toBe("022855512");
    expect(rig.gateway.last("INVITE").startLine).not.toContain("022855512");
    rig.gateway.bye(callId);
    await rig.state("call", "none");
    await rig.button("Call 5002 again").click();
    await rig.sent((one) => one.startLine.startsWith("INVITE sip:5002@"));
    await rig.button("Hang up").click();
    await rig.shows("history-list", "not answered");
  });

  it("in the page's address are filled in and asked about, and never called by themselves", async () => {
    await rig.signIn("/#dial=tel%3A%2B49-30-123");
    await rig.shows("asked", "A link asks to call +4930123");
    expect(await rig.page.getByLabel("Number to call").inputValue()).toBe("+4930123");
    expect(rig.page.url()).not.toContain("dial");
    expect(rig.gateway.last("INVITE").text).toBe("\r\n\r\n");
    await rig.button("No").click();
    expect(await rig.page.getByLabel("Number to call").inputValue()).toBe("");
    await rig.page.evaluate(() => (location.hash = "dial=5003"));
    await rig.shows("asked", "5003");
    await rig.page.keyboard.press("Enter");
    await rig.sent((one) => one.startLine.startsWith("INVITE sip:5003@"));
    expect(rig.errors).toEqual([]);
  });
});

describe("the history", () => {
  it("says who was missed, in the tab's title too while nobody looks, and outlives a reload", async () => {
    await rig.signIn();
    await rig.page.evaluate(() =>
      Object.defineProperty(document, "hidden", { value: true, configurable: true }),
    );
    rig.gateway.cancel(await rig.ring("5004"));
    await rig.state("call", "none");
    await expect.poll(async () => await rig.page.title()).toBe("(1 missed) 5001 – Jackfield");
    await rig.page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: false, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await expect.poll(async () => await rig.page.title()).toBe("5001 – Jackfield");
    await rig.page.reload();
    await rig.page.getByLabel("Password").fill("secret");
    await rig.page.keyboard.press("Enter");
    await rig.shows("history-list", "missed");
  });
});
