import { turnOffer } from "../../../b2bua/index.ts";
import { turnTerms, type Config } from "../../../config/index.ts";
import { errorCode, type CheckIo, type Finding, type Report } from "./finding.ts";
import { TurnProbe, turnTarget } from "./turn-probe.ts";

/** No TURN server has business there: link-local, in clouds the address of the instance's own secrets. */
const forbidden = "169.254.169.254";

/**
 * Does at every TURN server what a page does: allocates an address with credentials made from the secret, and asks
 * whether it may relay to the gateway's media address; then that it may not relay elsewhere.
 */
export async function checkTurn(config: Config, io: CheckIo, report: Report): Promise<void> {
  const terms = turnTerms(config);
  if (!terms) return;
  const [server] = turnOffer(terms, "check", io.clock.wallClock()).iceServers;
  if (!server) return;
  const peers = config.media.browserSide.advertisedAddresses;
  const findings = await Promise.all(
    terms.urls.map((url, index) => tryOut(`turn.urls[${index}]`, url, server, peers, io)),
  );
  const anyGood = findings.some(([first]) => first?.level === "ok");
  // A page takes the first that answers.
  for (const finding of findings.flat())
    report(finding.level === "fail" && anyGood ? { ...finding, level: "warn" } : finding);
}

async function tryOut(
  key: string,
  url: string,
  { username, credential }: { readonly username: string; readonly credential: string },
  peers: readonly string[],
  io: CheckIo,
): Promise<Finding[]> {
  const fail = (what: string, mend: string): Finding[] => [
    { level: "fail", key, what: `${url} ${what}`, mend },
  ];
  const began = io.clock.now();
  const probe = new TurnProbe(turnTarget(url), io);
  try {
    const allocated = await probe.allocate(username, credential);
    if (allocated.code === 401)
      return fail(
        `refuses our credentials (${allocated.words})`,
        "write the same secret into turn.secretFile and coturn's static-auth-secret; both hosts' clocks must agree",
      );
    if (allocated.code !== 0)
      return fail(`allocates no address (${allocated.words})`, "look into its log; quotas may be used up");
    const ms = Math.round(io.clock.now() - began);
    // A page tries all of them, and one will do.
    let peer = "";
    let permitted = { code: -1, words: "" };
    for (peer of peers) {
      permitted = await probe.permission(peer);
      if (permitted.code === 0) break;
    }
    if (permitted.code !== 0)
      return fail(
        `does not relay to media.advertisedAddress ${peers.join(", ")} (${permitted.words})`,
        `write allowed-peer-ip=${peer} into turnserver.conf (docs/turn.md)`,
      );
    const open = (await probe.permission(forbidden)).code === 0;
    const good: Finding = { level: "ok", key, what: `${url} relays to ${peer}, allocated in ${ms} ms` };
    const risk: Finding = {
      level: "warn",
      key,
      what: `${url} relays to any host it can reach (tried ${forbidden})`,
      mend: "deny all peers but the gateway: denied-peer-ip and allowed-peer-ip (docs/turn.md)",
    };
    return open ? [good, risk] : [good];
  } catch (error) {
    return fail(
      `cannot be used (${errorCode(error)})`,
      "check address, firewall and certificate, and whether it listens there",
    );
  } finally {
    probe.close();
  }
}
