import { expect } from "vitest";
import type { Gateway } from "../../../src/cli/index.ts";
import { ask as askWrtc } from "../../wrtc/http/support.ts";
import { ask as askEndpoint } from "../../endpoint/support.ts";
import { testPassword } from "../../support/test-gateway.ts";

type Reload = (more: Readonly<Record<string, object>>) => void;

interface Bench {
  readonly gateway: () => Gateway;
  readonly reload: Reload;
  readonly adminToken: string;
  /** `host:port` of SIP Server. */
  readonly sipServer: () => string;
}

const page = "https://agents.example.com";
const dn = "5030";
const json = { "content-type": "application/json" };

/** What a reload of each key of `wrtc` and `endpoint` does, seen over HTTP. */
export function httpClientKeys({ gateway, reload, adminToken, sipServer }: Bench) {
  const wrtc = (path: string, options: Parameters<typeof askWrtc>[2] = {}) =>
    askWrtc(gateway().httpPort, path, options);
  const signIn = () => wrtc("/wrtc/sign_in", { body: `${dn}:${testPassword(dn)}` });
  const signOut = ({ body }: { readonly body: string }) => wrtc(`/wrtc/sign_out?id=${body.trim().slice(3)}`);

  const endpoint = (method: string, path: string, headers: object, body?: unknown) =>
    askEndpoint(
      gateway().httpPort,
      method,
      path,
      { ...json, ...headers },
      body === undefined ? undefined : JSON.stringify(body),
    );
  const issue = async (): Promise<{ readonly id: string; readonly path: string }> => {
    const bearer = { authorization: `Bearer ${adminToken}` };
    const { text } = await endpoint("POST", "/api/endpoint/tokens", bearer, { dn });
    return JSON.parse(text) as { readonly id: string; readonly path: string };
  };

  return {
    async "wrtc.origins"() {
      const allowed = async () => (await wrtc("/wrtc/wait?id=x", { origin: page })).headers;
      expect(await allowed()).not.toHaveProperty("access-control-allow-origin");
      reload({ wrtc: { origins: [page] } });
      expect(await allowed()).toHaveProperty("access-control-allow-origin", page);
    },
    async "wrtc.allowAnonymous"() {
      const ask = async () => await wrtc("/wrtc/sign_in?anon0123456789ab4cde80123456789abcde");
      expect((await ask()).status).toBe(403);
      reload({ wrtc: { allowAnonymous: true } });
      const session = await ask();
      expect(session.status).toBe(200);
      await signOut(session);
    },
    async "wrtc.simple.passwordInQuery"() {
      const id = "0123456789abcdef";
      const statusOf = async () =>
        (await wrtc(`/api/webrtc/sign_in?id=${id}&dn=${dn}&password=${testPassword(dn)}`)).status;
      expect(await statusOf()).not.toBe(200);
      reload({ wrtc: { simple: { passwordInQuery: true } } });
      expect(await statusOf()).toBe(200);
      await wrtc(`/api/webrtc/sign_out?id=${id}`);
    },
    async "wrtc.sessionsPerDn"() {
      reload({ wrtc: { sessionsPerDn: 1 } });
      const first = await signIn();
      expect((await signIn()).status).not.toBe(200);
      await signOut(first);
    },
    async "wrtc.maxSessions"() {
      reload({ wrtc: { maxSessions: 1 } });
      const first = await signIn();
      expect(first.status).toBe(200);
      expect((await wrtc("/wrtc/sign_in", { body: `5031:${testPassword("5031")}` })).status).toBe(503);
      await signOut(first);
    },
    async "wrtc.waitSecondsHttp1"() {
      reload({ wrtc: { waitSecondsHttp1: 1 } });
      const session = await signIn();
      const began = performance.now();
      expect(await wrtc(`/wrtc/wait?id=${session.body.trim().slice(3)}`)).toMatchObject({
        status: 200,
        body: "",
      });
      expect(performance.now() - began).toBeLessThan(7000);
      await signOut(session);
    },
    async "endpoint.origins"() {
      const { path } = await issue();
      const statusOf = async () =>
        (await endpoint("POST", `${path}/SetOptions`, { origin: page }, { value: {} })).status;
      expect(await statusOf()).toBe(403);
      reload({ endpoint: { origins: [page] } });
      expect(await statusOf()).toBe(200);
    },
    async "endpoint.hosts"() {
      const { path } = await issue();
      const statusOf = async () =>
        (await endpoint("GET", `${path}/Ping`, { host: "gateway.example.com" })).status;
      expect(await statusOf()).not.toBe(200);
      reload({ endpoint: { hosts: ["gateway.example.com"] } });
      expect(await statusOf()).toBe(200);
    },
    async "endpoint.sipServerNames"() {
      const { path } = await issue();
      const register = async () =>
        (
          await endpoint(
            "POST",
            `${path}/RegisterDn/`,
            {},
            { addresses: ["sip.corp.example:5060"], users: [dn] },
          )
        ).text;
      expect(sipServer()).not.toContain("corp");
      expect(await register()).toBe('{"RegisterDnResult":false}');
      reload({ endpoint: { sipServerNames: ["sip.corp.example:5060"] } });
      expect(await register()).toBe('{"RegisterDnResult":true}');
      await endpoint("POST", `${path}/UnregisterDn`, {}, {});
    },
    async "endpoint.revokedTokens"() {
      const { id, path } = await issue();
      const statusOf = async () => (await endpoint("GET", `${path}/Ping`, {})).status;
      expect(await statusOf()).toBe(200);
      reload({ endpoint: { revokedTokens: [id] } });
      expect(await statusOf()).not.toBe(200);
    },
  };
}
