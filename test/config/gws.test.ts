import { describe, expect, it } from "vitest";
import { gwsOrigins, pageSettings } from "../../src/config/index.ts";
import { configOf, minimal, told, warned } from "./support.ts";

const withGws = (value: string): string => `${minimal}\ngws: ${value}\n`;
const url = '"https://gws.example.com"';

describe("GWS", () => {
  it("is off unless an address is set, and then the page is told all but secrets", () => {
    expect(pageSettings(configOf(minimal)).gws).toBeNull();
    expect(gwsOrigins(configOf(minimal))).toEqual([]);
    expect(pageSettings(configOf(withGws(`{ url: ${url}, callControl: sip }`))).gws).toEqual({
      url: "https://gws.example.com",
      api: "/api/v2",
      cometd: "/genesys/cometd",
      channels: ["voice"],
      transports: ["websocket", "long-polling"],
      call_control: "sip",
      states: ["Ready", "NotReady"],
      dtmf_field: "digits",
      keep_alive_seconds: 600,
    });
  });

  it("may be connected to by the page, by HTTP and by WebSocket", () => {
    expect(gwsOrigins(configOf(withGws(`{ url: ${url} }`)))).toEqual([
      "https://gws.example.com",
      "wss://gws.example.com",
    ]);
  });

  it("is refused over plain HTTP, which browsers refuse beside HTTPS and which shows passwords else", () => {
    const plain = withGws('{ url: "http://gws.example.com:8090" }');
    expect(told(plain)).toEqual([expect.stringContaining("gws.url is plain HTTP: agents'")]);
    const risked = plain.replace('8090"', '8090", allowInsecure: true');
    expect(warned(risked).join()).toContain("gws.allowInsecure");
    const overTls = risked.replace("127.0.0.1 }", "127.0.0.1, tls: { cert: cert, key: key } }");
    expect(told(overTls, { files: { cert: "-", key: "-" } })).toEqual([
      expect.stringContaining("gws.url is plain HTTP, which browsers"),
    ]);
    expect(warned(withGws('{ url: "http://127.0.0.1:8090" }')).join()).not.toContain("gws");
  });

  it("has no address with a path, and no operation names that could be anything else", () => {
    expect(told(withGws('{ url: "https://gws.example.com/api" }'))).toHaveLength(1);
    expect(told(withGws(`{ url: ${url}, states: ["../x"] }`))).toHaveLength(1);
  });
});
