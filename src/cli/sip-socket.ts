import { lookup } from "node:dns/promises";
import { BlockList, isIPv4 } from "node:net";
import type { Config } from "../config/index.ts";
import {
  createTransactionLayer,
  DialogDispatcher,
  openUdpTransport,
  parseUri,
  type Flow,
  type MessageObserver,
  type ServerTransaction,
  type SipRequest,
  type TransactionLayerWithReceiver,
  type UdpTransport,
} from "../sip/index.ts";
import type { GatewaySurroundings } from "./surroundings.ts";

/** The SIP layers up to dialogs, bound to their UDP socket. */
export interface SipSocket {
  readonly transactions: TransactionLayerWithReceiver;
  readonly dispatcher: DialogDispatcher;
  readonly udp: UdpTransport;
  /** SIP Servers in order of preference. */
  readonly servers: readonly Flow[];
  /** The way to the host of a SIP URI; undefined unless it is an address that may talk to us. */
  flowTo(uri: string): Flow | undefined;
}

/**
 * Binds the SIP socket; `onRequest` gets the requests outside dialogs. Rejects with the system's error when the
 * address cannot be bound or a server's name is unknown.
 */
export async function openSipSocket(
  config: Config,
  { clock, random, log }: GatewaySurroundings,
  onRequest: (request: SipRequest, transaction: ServerTransaction) => void,
  observer?: MessageObserver,
): Promise<SipSocket> {
  const dispatcher = new DialogDispatcher(onRequest);
  const sipLog = log.child({ room: "sip" });
  const transactions = createTransactionLayer({ clock, random, log: sipLog, user: dispatcher, observer });
  const addresses = await resolveServers(config);
  const allow = allowList([...addresses.map(({ address }) => address), ...config.sipServer.allow]);
  const udp = await openUdpTransport({ ...config.sip, receiver: transactions, allow, log: sipLog });
  return {
    transactions,
    dispatcher,
    udp,
    servers: addresses.map(({ address, port }) => udp.flowTo(address, port)),
    flowTo(uri) {
      const target = parseUri(uri);
      if (!target || !isIPv4(target.host) || !allow(target.host)) return undefined;
      return udp.flowTo(target.host, target.port ?? 5060);
    },
  };
}

/** Every A record of every address, in the order configured (genesys-sip-server.md 10: SIP Proxy pools). */
async function resolveServers(config: Config): Promise<{ address: string; port: number }[]> {
  const found = await Promise.all(
    config.sipServer.addresses.map(async ({ host, port }) => {
      const records = await lookup(host, { all: true, family: 4 });
      return records.map(({ address }) => ({ address, port }));
    }),
  );
  return found.flat();
}

function allowList(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    if (bits === undefined) list.addAddress(address, "ipv4");
    else list.addSubnet(address, Number(bits), "ipv4");
  }
  return (address) => isIPv4(address) && list.check(address, "ipv4");
}
