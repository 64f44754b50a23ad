import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import { TestAuthority } from "../support/certificates.ts";
import { Coturn } from "../support/coturn.ts";
import { freeTcpPort, freeUdpPort } from "../support/free-port.ts";
import { openTestGateway } from "../support/test-gateway.ts";
import { openPhone, serveTestPages, until, type Lab } from "./support/index.ts";
import { UdpPath } from "./support/udp-path.ts";
import {
  openWrtc,
  openWrtcLab,
  signInWrtc,
  wrtcBase,
  wrtcClients,
  WrtcPage,
  wrtcSection,
} from "./support/wrtc.ts";

/** Signing in, polling and the network of grtc.js; the table of what is proven where stands in wrtc.test.ts. */

const oddPassword = "p:w&d+ %41é =#?";

let lab: Lab;
let path: UdpPath;
/** Another gateway, by TLS and so by HTTP/2, that is restarted. */
let authority: TestAuthority;
let secure: Gateway;
let openSecure: () => Promise<Gateway>;

beforeAll(async () => {
  const mediaPort = await freeUdpPort();
  path = await UdpPath.open(mediaPort);
  lab = await openWrtcLab(
    {
      agents: { accounts: [{ dn: "5090", password: oddPassword }] },
      media: { browserPort: mediaPort },
    },
    // TLS with a certificate of the test's own.
    { extraArgs: ["--ignore-certificate-errors"] },
    { allowAnonymous: true },
  );
  authority = new TestAuthority();
  const { certFile: cert, keyFile: key } = authority.issue("gateway", "IP:127.0.0.1");
  const port = await freeTcpPort();
  openSecure = async () =>
    await openTestGateway({
      sipServer: `127.0.0.1:${lab.sandbox.port}`,
      config: {
        http: { port, tls: { cert, key } },
        // What SSIDs are signed with.
        admin: { token: "a-token-of-this-test-0123456789abcdef" },
        ...wrtcSection(lab.pages.origin),
      },
    });
  secure = await openSecure();
});
afterEach(async () => await lab.closePhones());
afterAll(async () => {
  await lab.close();
  await secure.close();
  authority.remove();
  path.close();
});

function inService(dn: string, gateway: Gateway = lab.gateway): boolean {
  return gateway.trunkRegistrations.status(dn).state === "in-service";
}

function registers(dn: string): number {
  return lab.sandbox.trace().filter(({ text }) => text.startsWith("REGISTER ") && text.includes(`sip:${dn}`))
    .length;
}

/** The far number gets sound from now on. */
async function heard(uuid: string): Promise<void> {
  lab.sandbox.record(uuid);
  await until(() => lab.soundOf(uuid).length > 5);
}

/** A page whose sound takes the path that a test can disturb. */
async function openBehind(): Promise<WrtcPage> {
  const page = await openWrtc(lab);
  await page.phone.page.evaluate((port) => {
    const real = Reflect.get(RTCPeerConnection.prototype, "setRemoteDescription");
    RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
      const sdp = description.sdp?.replaceAll(/ \d+ typ host/g, ` ${port} typ host`);
      await Reflect.apply(real, this, [{ type: description.type, sdp }]);
    };
  }, path.port);
  await page.phone.register(lab.account(page.dn));
  return page;
}

function ufrags(page: WrtcPage): Set<string | undefined> {
  return new Set(page.roap("OFFER").map(({ sdp }) => /^a=ice-ufrag:(.*)\r$/m.exec(String(sdp))?.[1]));
}

async function pathIs(page: WrtcPage, state: RTCPeerConnectionState): Promise<void> {
  await page.phone.page.waitForFunction(
    (wanted) => window.wrtc.grtc.connection()?.connectionState === wanted,
    state,
  );
}

/** What the page says comes back from 9196: both ways are open. */
async function echoed({ phone }: WrtcPage): Promise<void> {
  await phone.clearEncodedFrames();
  const received = async (): Promise<number> =>
    (await phone.encodedFrames()).filter(({ side }) => side === "received").length;
  await expect.poll(received, { timeout: 20_000 }).toBeGreaterThan(5);
}

async function isCalled(page: WrtcPage): Promise<void> {
  const uuid = await lab.sandbox.ring(page.dn, "1003");
  await page.phone.nextCall();
  await page.phone.answer();
  await lab.connected(page.dn);
  await heard(uuid);
}

for (const { client, title } of wrtcClients)
  describe(`${title} signs in`, () => {
    it("with a password of odd characters, taken as they are, and out", async () => {
      const page = await openWrtc(lab, client, { password: oddPassword });
      await page.phone.register(lab.account("5090"));
      await until(() => inService("5090"));
      await page.do("disconnect");
      await until(() => lab.sandbox.bindings().every(({ dn }) => dn !== "5090"));
    });

    it("and out when its page is left, as Genesys' own page does it", async () => {
      const page = await signInWrtc(lab, client);
      await page.phone.page.evaluate(() => {
        addEventListener("beforeunload", () => window.wrtc.grtc.disconnect());
      });
      await page.phone.page.goto("about:blank");
      await until(() => lab.sandbox.bindings().every(({ dn }) => dn !== page.dn));
    });

    it("not with a wrong password, and does not poll", async () => {
      const page = await openWrtc(lab, client, { password: "wrong" });
      await expect(page.phone.register(lab.account(page.dn))).rejects.toThrow("onFailed");
      expect(page.paths.filter((one) => one.includes("/wait"))).toEqual([]);
      expect(registers(page.dn)).toBe(0);
    });

    it("without a password by GET, where the gateway allows that, and is called", async () => {
      const page = await openWrtc(lab, client, { password: undefined });
      await page.phone.register(lab.account(page.dn));
      expect(page.paths).toContain(`/sign_in?${page.dn}`);
      await until(() => inService(page.dn));
      await isCalled(page);
    });

    it("as nobody: no REGISTER, and its calls come from the name it gave itself", async () => {
      const page = await openWrtc(lab, client, { password: undefined });
      await page.phone.register(lab.account(""));
      expect(page.paths.find((one) => one.includes("/sign_in"))).toMatch(
        /^\/sign_in\?anon[\da-f]{12}4[\da-f]{3}[89ab][\da-f]{15}$/,
      );
      expect(registers("anon")).toBe(0);
      // This SIP Server takes calls of its own DNs alone; others are told of a trunk in their place.
      await expect(page.phone.call("9196")).rejects.toThrow("REFUSED");
      const invites = lab.sandbox.trace().filter(({ text }) => text.startsWith("INVITE sip:9196@"));
      expect(invites.at(-1)?.text).toMatch(/^From: .*sip:anon[\da-f]{32}@/m);
    });

    it.each(["/api/webrtc", "/api/webrtc/", "/"])("at an address that ends in %s", async (prefix) => {
      const page = await openWrtc(lab, client, { gateway: `${wrtcBase(lab)}${prefix}` });
      await page.phone.register(lab.account(page.dn));
      await until(() => inService(page.dn));
      await lab.call(page, "9196");
    });

    it("anew: the poll of before ends soon, and the DN stays in service", async () => {
      const page = await signInWrtc(lab, client);
      const [first] = page.paths.filter((one) => one.includes("/wait"));
      await page.phone.register(lab.account(page.dn));
      // The old poll's reply.
      await until(() => page.polls.length >= 1 && inService(page.dn));
      const last = page.paths.findLast((one) => one.includes("/wait"));
      expect(last).not.toBe(first);
      await isCalled(page);
    });

    it("not from a page of a site that is not allowed", async () => {
      const strangers = await serveTestPages();
      try {
        const phone = await openPhone(lab.browser, strangers, client);
        const page = new WrtcPage(phone, lab.nextDn());
        await page.do("configure", { gateway: wrtcBase(lab), password: lab.account(page.dn).password });
        await expect(phone.register(lab.account(page.dn))).rejects.toThrow("onFailed");
        await phone.close();
        expect(registers(page.dn)).toBe(0);
      } finally {
        await strangers.close();
      }
    });

    it("and is called after a restart of the gateway, of which its page saw only that no call is left", async () => {
      const page = await openWrtc(lab, client, { gateway: `https://127.0.0.1:${secure.httpPort}` });
      await page.phone.register(lab.account(page.dn));
      await until(() => inService(page.dn, secure));
      await secure.close();
      secure = await openSecure();
      await until(() => inService(page.dn, secure));
      await isCalled(page);
      const closings = (await page.events()).filter(({ name }) => name === "onPeerClosing");
      expect(closings).toHaveLength(1);
      expect(page.paths.filter((one) => one.includes("sign_in"))).toHaveLength(1);
    });

    it("as the seventh in one browser, over HTTP/2, calls and is called", async () => {
      const gateway = `https://127.0.0.1:${secure.httpPort}`;
      const page = await openWrtc(lab, client, { gateway });
      const others = Array.from({ length: 6 }, () => lab.account(lab.nextDn()));
      const open = await page.phone.page.evaluate(
        async ([base, accounts]) => {
          const signIns = accounts.map(async ({ dn, password }) => {
            const body = `${dn}:${password}`;
            const reply = await fetch(`${base}/sign_in`, { method: "POST", body, credentials: "include" });
            const ssid = (await reply.text()).trim().split("=")[1];
            // Hangs.
            void fetch(`${base}/wait?id=${ssid}`, { credentials: "include" }).catch(() => undefined);
            return reply.ok;
          });
          return await Promise.all(signIns);
        },
        [gateway, others] as const,
      );
      expect(open).toEqual(Array.from({ length: 6 }, () => true));
      await page.phone.register(lab.account(page.dn));
      await until(() => inService(page.dn, secure));
      await heard(await lab.call(page, "9196"));
      await page.phone.hangUp();
      await until(() => lab.callOf(page.dn) === undefined);
      await isCalled(page);
    });
  });

describe("clients of the protocol", () => {
  it("talk on when their network's address changes, after an offer with the ufrag of before", async () => {
    const page = await openBehind();
    const uuid = await lab.call(page, "9196");
    await heard(uuid);
    path.rebind();
    await page.do("makeOffer", undefined, true, false);
    await until(() => page.roap("OK").length === 2);
    expect(ufrags(page).size).toBe(1);
    await heard(uuid);
  });

  it("talk on after a time without UDP in which Chromium gave its path up and asked for no other", async () => {
    const page = await openBehind();
    const uuid = await lab.call(page, "9196");
    await echoed(page);
    path.blocked = true;
    await pathIs(page, "disconnected");
    // As Genesys' pages do on `onIceDisconnected`; their offer restarts nothing.
    await page.do("makeOffer", undefined, true, false);
    await until(() => page.roap("OK").length === 2);
    await pathIs(page, "failed");
    path.blocked = false;
    await pathIs(page, "connected");
    expect(ufrags(page).size).toBe(1);
    await echoed(page);
    expect(lab.callOf(page.dn)?.uuid).toBe(uuid);
  });

  // TCP and TLS to it are the browser's: turn.test.ts.
  it("talk by nothing but a TURN server", async () => {
    const coturn = await Coturn.open();
    try {
      const username = `${Math.floor(Date.now() / 1000) + 600}:test`;
      const page = await openWrtc(lab, "wrtc", {
        relayOnly: true,
        turn: {
          server: coturn.url("udp").replace("turn:", ""),
          username,
          password: createHmac("sha1", coturn.secret).update(username).digest("base64"),
        },
      });
      await page.phone.register(lab.account(page.dn));
      const uuid = await lab.call(page, "9196");
      await heard(uuid);
      expect(page.roap("OFFER")[0]?.["Candidates"]).not.toHaveLength(0);
      await page.phone.hangUp();
    } finally {
      await coturn.close();
    }
  });
});
