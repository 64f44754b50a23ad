import { describe, expect, it } from "vitest";
import { pageSettings } from "../../src/config/index.ts";
import { configOf, minimal, told } from "./support.ts";

const withPage = (value: string): string => `${minimal}\npage: ${value}\n`;

describe("what the page is told before sign-in", () => {
  it("is a whole phone, embedded nowhere, with no password from its address, where nothing is configured", () => {
    expect(pageSettings(configOf(minimal))).toEqual({
      mode: "phone",
      web_socket_path: "/ws",
      workspace_options: {},
      embedding: { origins: [] },
      sign_in: { password_in_url: false },
      gws: null,
    });
  });

  it("follows the configuration", () => {
    const yaml = withPage(
      '{ mode: audio, embedding: { origins: ["https://wwe.example.com"] }, allowPasswordInUrl: true, workspaceOptions: { agc_mode: 0 } }',
    );
    expect(pageSettings(configOf(yaml))).toMatchObject({
      mode: "audio",
      workspace_options: { agc_mode: 0 },
      embedding: { origins: ["https://wwe.example.com"] },
      sign_in: { password_in_url: true },
    });
  });

  it("holds no secret of the configuration", () => {
    const secrets = `
http: { host: 127.0.0.1 }
websocket: { origins: ["https://wwe.example.com"] }
sip: { advertisedAddress: 192.0.2.20 }
media: { advertisedAddress: 203.0.113.10 }
agents: { accounts: [{ dn: "5001", password: hush-1 }], ranges: [{ from: 6001, to: 6002, password: hush-2 }] }
sipServer: { addresses: ["192.0.2.10:5060"], auth: { username: u, password: hush-3 } }
admin: { token: hush-0123456789abcdef }
`;
    const text = JSON.stringify(pageSettings(configOf(secrets)));
    expect(text).not.toMatch(/hush|5001|192\.0\.2|203\.0\.113/);
  });

  it("takes origins only as embedding origins", () => {
    for (const bad of [
      "https://wwe.example.com/",
      "*",
      "wwe.example.com",
      "https://*.example.com",
      "https://a;b",
      "null",
    ])
      expect(told(withPage(`{ embedding: { origins: ["${bad}"] } }`)).join()).toContain(
        "page.embedding.origins",
      );
  });
});
