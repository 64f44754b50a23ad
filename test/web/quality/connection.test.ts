import { describe, expect, it } from "vitest";
import {
  connectionWords,
  pathState,
  type ConnectionFacts,
} from "../../../web/src/softphone/quality/connection.ts";

const ready: ConnectionFacts = {
  dn: "5001",
  socket: "connected",
  registration: "registered",
  trunk: { state: "in-service", reason: "" },
  path: "none",
  route: undefined,
  inCall: false,
  retryS: undefined,
};

describe("the connection in words", () => {
  it.each([
    ["good", "Ready for calls.", {}],
    ["none", "Not signed in.", { dn: undefined, socket: "idle", registration: "none" }],
    ["wait", "Connecting to the gateway…", { socket: "connecting", registration: "none" }],
    ["wait", "Signing in…", { registration: "registering" }],
    [
      "bad",
      "No connection to the gateway: lost, trying again within 8 s.",
      { socket: "lost", registration: "none" },
    ],
    [
      "bad",
      "No connection to the gateway: lost, trying again within 8 s. Your call goes on.",
      { socket: "lost", registration: "none", inCall: true, path: "connected" },
    ],
    [
      "bad",
      "Not signed in: the gateway refused it, trying again in 4 s.",
      { registration: "failed", retryS: 4 },
    ],
    [
      "bad",
      "You cannot be called: SIP Server refuses your number (403 Forbidden); tell support.",
      { trunk: { state: "rejected", reason: "403 Forbidden" } },
    ],
    [
      "bad",
      "You cannot be called: SIP Server does not take your number now; the gateway tries again by itself.",
      { trunk: { state: "backing-off", reason: "" } },
    ],
    [
      "wait",
      "You cannot be called: the gateway is being drained.",
      { trunk: { state: "idle", reason: "the gateway is being drained" } },
    ],
    [
      "wait",
      "You cannot be called: signed out by an administrator. Your call goes on.",
      { trunk: { state: "idle", reason: "signed out by an administrator" }, inCall: true, path: "connected" },
    ],
    ["wait", "Signed in here; SIP Server is being told…", { trunk: { state: "registering", reason: "" } }],
    ["good", "Ready for calls.", { trunk: { state: "unknown", reason: "" } }],
    ["good", "In a call, sound connected.", { inCall: true, path: "connected" }],
    ["wait", "In a call; its sound is being connected…", { inCall: true, path: "checking" }],
    [
      "bad",
      "The sound of your call is interrupted: the way to the gateway broke, a new one is being looked for.",
      { inCall: true, path: "disconnected" },
    ],
    [
      "bad",
      "The sound of your call is interrupted: no way to the gateway, trying again every 3 s; a firewall may block UDP.",
      { inCall: true, path: "failed" },
    ],
  ] as const)("is %s: %s", (tone, sentence, change) => {
    expect(connectionWords({ ...ready, ...change })).toMatchObject({ tone, sentence });
  });

  it("has every part of it", () => {
    expect(connectionWords(ready).parts).toEqual([
      { name: "Connection to the gateway", tone: "good", text: "connected" },
      { name: "Signed in at the gateway", tone: "good", text: "yes" },
      { name: "Number at SIP Server", tone: "good", text: "in service" },
      { name: "Sound of the call", tone: "none", text: "no call" },
    ]);
  });

  it("knows the browser's names of the path", () => {
    expect(
      ["new", "checking", "connected", "completed", "disconnected", "failed", "closed", undefined].map(
        pathState,
      ),
    ).toEqual(["checking", "checking", "connected", "connected", "disconnected", "failed", "none", "none"]);
  });
});
