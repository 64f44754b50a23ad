import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkTree, type Config } from "../../src/config/index.ts";
import { systemClock, systemRandom } from "../../src/core/index.ts";
import { checkTurn } from "../../src/cli/commands/check/turn.ts";
import { systemResolver } from "../../src/cli/gateway/system-resolver.ts";
import type { Finding } from "../../src/cli/commands/check/finding.ts";
import { Coturn, Silence } from "../support/coturn.ts";

/** What `jackfield check` finds at a real coturn. */

let coturn: Coturn;
let closed: Coturn;
let silence: Silence;

beforeAll(async () => {
  [coturn, closed, silence] = await Promise.all([Coturn.open(), Coturn.open("192.0.2.77"), Silence.open()]);
});
afterAll(async () => {
  await Promise.all([coturn.close(), closed.close()]);
  silence.close();
});

async function findings(
  urls: readonly string[],
  secret = coturn.secret,
  media: object = {},
): Promise<Finding[]> {
  const checked = checkTree(
    {
      http: { host: "127.0.0.1" },
      sip: { host: "127.0.0.1" },
      media: { host: "127.0.0.1", ...media },
      sipServer: { addresses: ["127.0.0.1:5060"] },
      turn: { urls, secret },
    },
    () => undefined,
    ".",
    {},
  );
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  const config: Config = checked.config;
  const found: Finding[] = [];
  await checkTurn(
    config,
    {
      write() {},
      clock: systemClock,
      random: systemRandom,
      resolver: systemResolver,
      localAddresses: () => [],
      answerMs: 900,
    },
    (finding) => found.push(finding),
  );
  return found;
}

describe("jackfield check at TURN servers", () => {
  it("allocates over UDP and TCP, and finds that nothing but the gateway is relayed to", async () => {
    const found = await findings([coturn.url("udp"), coturn.url("tcp")]);
    expect(found.map(({ level }) => level)).toEqual(["ok", "ok"]);
    expect(found[0]?.what).toMatch(/relays to 127\.0\.0\.1, allocated in \d+ ms/);
    // What was allocated is given back at once.
    await expect.poll(() => coturn.usages().length).toBeGreaterThanOrEqual(2);
  });

  it("says that the secrets differ", async () => {
    const [found] = await findings([coturn.url("udp")], "another-secret-of-nobody");
    expect(found).toMatchObject({ level: "fail", key: "turn.urls[0]" });
    expect(found?.what).toContain("refuses our credentials (401 Unauthorized)");
    expect(found?.mend).toContain("static-auth-secret");
  });

  it("says that the gateway is not among what coturn may relay to", async () => {
    const [found] = await findings([closed.url("udp")]);
    expect(found).toMatchObject({ level: "fail" });
    expect(found?.what).toContain("does not relay to media.advertisedAddress 127.0.0.1 (403");
    expect(found?.mend).toContain("allowed-peer-ip=127.0.0.1");
  });

  it("is content where one of several addresses toward browsers is relayed to", async () => {
    const browserSide = { advertisedAddress: ["192.0.2.1", "127.0.0.1"] };
    const [found] = await findings([coturn.url("udp")], coturn.secret, { browserSide });
    expect(found).toMatchObject({ level: "ok" });
    expect(found?.what).toContain("relays to 127.0.0.1,");
  });

  it("warns of one that relays to anybody", async () => {
    const open = await Coturn.open("0.0.0.0-255.255.255.255");
    const found = await findings([open.url("udp")]);
    await open.close();
    expect(found.map(({ level }) => level)).toEqual(["ok", "warn"]);
    expect(found[1]?.what).toContain("relays to any host");
  });

  it("fails at silence, a refused connection and a certificate that browsers would not take; warns beside one that works", async () => {
    const [udp = "", tcp = ""] = silence.urls;
    const dead = await findings([udp, tcp, "turn:127.0.0.1:1?transport=tcp", coturn.url("tls")]);
    expect(dead.map(({ level }) => level)).toEqual(["fail", "fail", "fail", "fail"]);
    expect(dead.map(({ what }) => what)).toEqual([
      expect.stringContaining("gave no answer in 900 ms"),
      expect.stringContaining("gave no answer in 900 ms"),
      expect.stringContaining("ECONNREFUSED"),
      expect.stringContaining("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
    ]);
    const some = await findings([udp, coturn.url("tcp")]);
    expect(some.map(({ level }) => level)).toEqual(["warn", "ok"]);
  });
});
