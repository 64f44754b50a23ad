import { expect, it } from "vitest";
import { lineWords, soundWords } from "../../../web/src/softphone/endpoint/words.ts";

const out = { dn: undefined, registration: "none", signingIn: false, call: undefined } as const;

it("says how it goes, and what to do, for each state of the line", () => {
  const words = (link: Parameters<typeof lineWords>[0], phone: object = {}): string =>
    lineWords(link, { ...out, ...phone }).join(": ");
  expect(words({ kind: "connecting" })).toContain("Connecting");
  expect(words({ kind: "up" })).toMatch(/^wait: Connected\. Sign in to Workspace/);
  expect(words({ kind: "up" }, { signingIn: true })).toContain("allow it in this window");
  expect(words({ kind: "up" }, { dn: "5001", registration: "registering" })).toMatch(/^wait: Signing in/);
  expect(words({ kind: "up" }, { dn: "5001", registration: "registered" })).toMatch(/^good: Carried/);
  expect(words({ kind: "lost" })).toMatch(/^bad: No connection/);
  expect(words({ kind: "lost" }, { call: {} })).toContain("the call goes on");
  expect(words({ kind: "replaced" })).toContain("Close this one");
  expect(words({ kind: "refused", reason: "Because." })).toContain("Because. Open the softphone");
});

it("says what of the sound is turned off, and nothing else", () => {
  const on = { muted: false, volume: 1 };
  expect(soundWords({ microphone: on, speaker: { muted: false, volume: 0.4 } })).toEqual([]);
  expect(soundWords({ microphone: { muted: true, volume: 0 }, speaker: on })).toEqual([
    expect.stringContaining("muted"),
  ]);
  expect(soundWords({ microphone: { ...on, volume: 0 }, speaker: { ...on, volume: 0 } })).toHaveLength(2);
});
