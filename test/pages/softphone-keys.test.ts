import { describe, expect, it } from "vitest";
import { seriousFindings } from "./support/axe.ts";
import { SoftphoneRig } from "./support/softphone-rig.ts";

const rig = new SoftphoneRig();

describe("the keyboard alone", () => {
  it("answers, mutes, holds, opens keypad and transfer, hangs up", async () => {
    await rig.signIn();
    const { page } = rig;
    const callId = await rig.ring();
    await page.keyboard.press("Alt+a");
    await rig.connect(callId);
    await page.keyboard.press("Alt+m");
    await rig.button("Unmute").waitFor();
    await page.keyboard.press("Alt+h");
    await rig.button("Retrieve").waitFor();
    await page.keyboard.press("Alt+k");
    await rig.state("tool", "keypad");
    await page.keyboard.press("Escape");
    await rig.state("tool", "none");
    await page.keyboard.press("Alt+t");
    // Typed into the field, and no tones.
    await page.keyboard.type("47*#");
    expect(await page.getByLabel("Transfer to").inputValue()).toBe("47*#");
    expect(await rig.text("sent")).toBe("");
    await page.keyboard.press("Enter");
    await rig.sent((one) => one.name === "REFER");
    await page.keyboard.press("Alt+x");
    await rig.sent((one) => one.name === "BYE");
    await rig.state("call", "none");
    expect(rig.errors).toEqual([]);
  });

  it("dials, lists its keys, and rejects", async () => {
    await rig.signIn();
    const { page } = rig;
    await page.keyboard.press("Alt+n");
    await page.keyboard.type("5002");
    await page.keyboard.press("Enter");
    await rig.state("call", "alerting");
    await page.keyboard.press("Alt+x");
    await rig.state("call", "none");
    await page.keyboard.press("Alt+/");
    const help = page.getByRole("dialog", { name: "Keys" });
    await help.waitFor();
    expect(await help.textContent()).toContain("Answer the call that rings");
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    await rig.ring();
    await page.keyboard.press("Alt+x");
    await rig.sent((one) => one.name === "486");
  });

  it("reaches everything in the order in which it is read", async () => {
    await rig.signIn();
    await rig.talking();
    await rig.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const reached: string[] = [];
    for (let at = 0; at < 9; at++) {
      await rig.page.keyboard.press("Tab");
      reached.push(
        await rig.page.evaluate(
          () => document.activeElement?.getAttribute("data-testid") ?? document.activeElement?.tagName ?? "",
        ),
      );
    }
    const keys = ["mute", "hold", "keypad", "transfer", "new-call", "hang-up"];
    expect(reached.filter((one) => keys.includes(one))).toEqual(keys);
  });
});

describe("windows of 300 x 500 and 400 x 600", () => {
  const states = {
    idle: ["1", "hash", "Call", "Sign out", "History", "Settings", "Keys"],
    ringing: ["Answer", "Reject"],
    talking: ["Mute", "Hold", "Keypad", "Transfer", "New call", "Hang up"],
    keypad: ["1", "hash", "Hang up"],
    transfer: ["1", "hash", "Transfer now", "Ask first", "Hang up"],
  };

  async function outside(names: readonly string[], width: number, height: number): Promise<string[]> {
    await rig.page.setViewportSize({ width, height });
    const faults: string[] = [];
    for (const name of names) {
      const box = await rig.button(name).boundingBox();
      const inside =
        box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
      if (!inside) faults.push(`${name} at ${width} x ${height}`);
      else if (Math.min(box.width, box.height) < 36) faults.push(`${name} is too small to be touched`);
    }
    const scrolls = await rig.page.evaluate(
      () =>
        document.documentElement.scrollHeight > innerHeight ||
        document.documentElement.scrollWidth > innerWidth,
    );
    return scrolls ? [...faults, `scrolls at ${width} x ${height}`] : faults;
  }

  async function fits(state: keyof typeof states): Promise<void> {
    const faults = [...(await outside(states[state], 300, 500)), ...(await outside(states[state], 400, 600))];
    expect(faults).toEqual([]);
  }

  it("have all of the phone in sight, without scrolling, large enough to be touched", async () => {
    await rig.signIn();
    rig.gateway.notify("x-jackfield-trunk", [], '{"state":"in-service","reason":""}');
    await rig.state("lamp-trunk", "in-service");
    await fits("idle");
    const data = [
      "X-Genesys-Queue: Sales",
      "Subject: A longer word about the call",
      "X-Genesys-CallUUID: 0ABC",
    ];
    const callId = await rig.ring("5002", data);
    await fits("ringing");
    await rig.button("Answer").click();
    await rig.connect(callId);
    await fits("talking");
    await rig.button("Keypad").click();
    await fits("keypad");
    await rig.button("Transfer").click();
    await rig.page.getByLabel("Transfer to").fill("4711");
    await fits("transfer");
  });
});

describe("axe", () => {
  it("finds nothing serious on the page in any of its states, light and dark", async () => {
    await rig.open();
    const found: Record<string, readonly string[]> = {};
    const look = async (name: string): Promise<void> => {
      for (const colorScheme of ["light", "dark"] as const) {
        await rig.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        // Nothing but the colours is other in the dark.
        const rules = colorScheme === "dark" ? ["color-contrast"] : undefined;
        found[`${name}, ${colorScheme}`] = await seriousFindings(rig.page, rules);
      }
    };
    await look("sign-in");
    await rig.page.getByLabel("Your number (DN)").fill("5001");
    await rig.page.getByLabel("Password").fill("secret");
    await rig.page.keyboard.press("Enter");
    await rig.state("app", "registered");
    await look("idle");
    const callId = await rig.ring("5002", ["X-Callback: 022855512", "X-A: 1", "X-B: 2", "X-C: 3", "X-D: 4"]);
    await look("ringing");
    await rig.button("Answer").click();
    await rig.connect(callId);
    await rig.button("Transfer").click();
    const second = rig.gateway.invite("5003");
    await rig.button("Answer 5003").waitFor();
    await look("transfer, another call");
    rig.gateway.cancel(second);
    await rig.button("Keypad").click();
    await look("keypad");
    await rig.button("Settings").click();
    await look("settings");
    await rig.page.keyboard.press("Alt+/");
    await rig.page.getByRole("dialog", { name: "Keys" }).waitFor();
    await look("keys");
    expect(Object.entries(found).filter(([, findings]) => findings.length > 0)).toEqual([]);
  });
});
