import { afterEach, describe, expect, it, vi } from "vitest";
import { pageSettings } from "../../src/config/index.ts";
import {
  configuredMode,
  embeddingOrigins,
  loadSettings,
  passwordInUrl,
  webSocketPath,
} from "../../web/src/softphone/page-settings.ts";
import { ownGateway, remember, remembered } from "../../web/src/softphone/phone/settings.ts";
import { configOf, minimal } from "../config/support.ts";

function answering(answer: () => Response | Promise<Response>): void {
  vi.stubGlobal("fetch", async () => answer());
}

afterEach(() => void vi.unstubAllGlobals());

describe("what the gateway tells its page", () => {
  it("is read as the gateway writes it", async () => {
    const yaml = `${minimal.replace("websocket: {", "websocket: { path: /sip/ws,")}
page: { mode: audio, embedding: { origins: ["https://wwe.example.com"] }, allowPasswordInUrl: true }
`;
    answering(() => Response.json(pageSettings(configOf(yaml))));
    const settings = (await loadSettings()) ?? {};
    expect(configuredMode(settings)).toBe("audio");
    expect(embeddingOrigins(settings)).toEqual(["https://wwe.example.com"]);
    expect(passwordInUrl(settings)).toBe(true);
    expect(webSocketPath(settings)).toBe("/sip/ws");
  });

  it("is the least where it cannot be had or read", async () => {
    const bad = [
      () => new Response("", { status: 503 }),
      () => new Response("<html>"),
      () => Response.json(null),
      () => Response.json({ mode: 1, embedding: [], sign_in: "yes", web_socket_path: 7 }),
      () => Promise.reject(new Error("no network")),
    ];
    for (const answer of bad) {
      answering(answer);
      const settings = (await loadSettings()) ?? {};
      expect(configuredMode(settings)).toBe("phone");
      expect(embeddingOrigins(settings)).toEqual([]);
      expect(passwordInUrl(settings)).toBe(false);
      expect(webSocketPath(settings)).toBe("/ws");
    }
  });
});

describe("the gateway a page signs in at", () => {
  const own = ownGateway(
    { protocol: "https:", host: "gw.example.com:8443", hostname: "gw.example.com" },
    "/sip/ws",
  );

  it("is the one that served it, at the path that this one is configured with", () => {
    expect(remembered({ getItem: () => null }, own)).toEqual({
      dn: "",
      server: "wss://gw.example.com:8443/sip/ws",
      domain: "gw.example.com",
    });
  });

  it("is the one this tab used last", () => {
    let kept = "";
    const last = { dn: "5001", server: "wss://other.example.com/ws", domain: "example.com" };
    remember({ setItem: (_, text) => void (kept = text) }, last);
    expect(remembered({ getItem: () => kept }, own)).toEqual(last);
    expect(remembered({ getItem: () => "[]" }, own)).toEqual(own);
    expect(remembered({ getItem: () => "{" }, own)).toEqual(own);
  });
});
