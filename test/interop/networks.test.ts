import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { testOrigin } from "../support/test-gateway.ts";
import { Namespaces, namespacesFault, type Program } from "./support/networks/namespaces.ts";

/** What `agent.ts` tells. */
interface AgentReport {
  readonly dn: string;
  readonly candidates: readonly string[];
  readonly byAddress: string;
  readonly frames: number;
  readonly echoed: number;
}

const fault = namespacesFault();
if (fault !== undefined) console.warn(`networks are not tested: ${fault}`);

const publicAddress = "203.0.113.10";
const internalAddress = "10.88.0.2";
const genesysAddress = "10.77.2.1";
const directory = mkdtempSync(join(tmpdir(), "jackfield-networks-"));
const nets = new Namespaces();
afterAll(async () => {
  await nets.close();
  rmSync(directory, { recursive: true });
});

/**
 * outside 198.18.0.2 --- 198.18.0.1 nat 10.88.0.1 --- 10.88.0.2 gateway 10.77.2.1 --- 10.77.2.2 SIP Server
 * office 10.90.0.2 ----- 10.90.0.1 nat
 * The NAT is 1:1: 203.0.113.10 from outside is the gateway's 10.88.0.2. The office reaches that as it is.
 */
function wire(): void {
  for (const letter of ["outside", "office", "nat", "gateway", "genesys"]) nets.add(letter);
  nets.link(["outside", "198.18.0.2/24"], ["nat", "198.18.0.1/24"]);
  nets.link(["office", "10.90.0.2/24"], ["nat", "10.90.0.1/24"]);
  nets.link(["nat", "10.88.0.1/24"], ["gateway", `${internalAddress}/24`]);
  nets.link(["gateway", `${genesysAddress}/24`], ["genesys", "10.77.2.2/24"]);
  nets.in("outside", "ip", "route", "add", `${publicAddress}/32`, "via", "198.18.0.1");
  nets.in("office", "ip", "route", "add", "10.88.0.0/24", "via", "10.90.0.1");
  nets.in("gateway", "ip", "route", "add", "default", "via", "10.88.0.1");
  nets.in("nat", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
  nets.in("gateway", "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward");
  const rule = (...words: string[]): void => nets.in("nat", "iptables", "-t", "nat", ...words);
  rule("-A", "PREROUTING", "-i", "to-outside", "-d", publicAddress, "-j", "DNAT", "--to", internalAddress);
  rule("-A", "POSTROUTING", "-o", "to-outside", "-s", internalAddress, "-j", "SNAT", "--to", publicAddress);
}

const configuration = `
http: { host: ${internalAddress}, port: 8080, allowInsecure: true }
websocket: { origins: ["${testOrigin}"] }
sip: { host: ${genesysAddress}, port: 5070 }
media:
  browserSide: { host: ${internalAddress}, advertisedAddress: [${internalAddress}, ${publicAddress}] }
  sipServerSide: { host: ${genesysAddress} }
  rtpPorts: [10000, 10039]
  workers: 1
agents: { ranges: [{ from: "5001", to: "5009", password: "secret-{dn}" }] }
sipServer: { addresses: ["10.77.2.2:5060"] }
`;

async function reportOf(agent: Program): Promise<AgentReport> {
  return JSON.parse(await agent.line('"echoed"')) as AgentReport;
}

describe.skipIf(fault !== undefined)("a gateway in two networks, and behind a 1:1 NAT", () => {
  it("calls with sound both ways: from outside by the public address, from the office by the internal one, and SIP Server by its own net's", async () => {
    wire();
    const file = join(directory, "jackfield.yaml");
    writeFileSync(file, configuration);
    const server = nets.start("genesys", "sip-server.ts", ["--host", "10.77.2.2", "--port", "5060"]);
    const gateway = nets.start("gateway", "../../../../src/main.ts", ["start", "--config", file]);
    await Promise.all([server.line("sandbox is up"), gateway.line("gateway is up")]);
    const agent = (place: string, host: string, dn: string): Promise<AgentReport> =>
      reportOf(nets.start(place, "agent.ts", ["--url", `ws://${host}:8080/ws`, "--dn", dn]));
    const [outside, office] = await Promise.all([
      agent("outside", publicAddress, "5001"),
      agent("office", internalAddress, "5002"),
    ]);
    expect(outside.byAddress).toBe(publicAddress);
    expect(office.byAddress).toBe(internalAddress);
    for (const { candidates, frames, echoed } of [outside, office]) {
      const [first = "", second = "", ...none] = candidates;
      expect(none).toEqual([]);
      expect(first).toMatch(/^1 1 udp 2130706431 10\.88\.0\.2 20100 typ host/);
      expect(second).toMatch(/^2 1 udp 2130706175 203\.0\.113\.10 20100 typ host/);
      expect(frames).toBe(100);
      // All but those still on their way.
      expect(echoed).toBeGreaterThan(90);
    }
    const seen = await Promise.all(["5001", "5002"].map((dn) => server.line(`"name":"${dn}"`)));
    for (const line of seen) {
      expect(line).toContain(`c=IN IP4 ${genesysAddress}`);
      expect(line).not.toMatch(/10\.88\.|203\.0\.113/);
    }
  });
});
