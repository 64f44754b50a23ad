import { BlockList, isIPv4 } from "node:net";
import type { Config } from "../config/index.ts";
import { joinServers, NamedServer, type ServerSource } from "../registrar/index.ts";
import {
  createTransactionLayer,
  DialogDispatcher,
  openUdpTransport,
  parseUri,
  type Flow,
  type ServerTransaction,
  type SipRequest,
  type TransactionLayerWithReceiver,
  type UdpTransport,
} from "../sip/index.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { systemResolver } from "./system-resolver.ts";

/** The SIP layers up to dialogs, bound to their UDP socket. */
export interface SipSocket {
  readonly transactions: TransactionLayerWithReceiver;
  readonly dispatcher: DialogDispatcher;
  readonly udp: UdpTransport;
  /** Where DNs are registered: one, or with Business Continuity each of the peers. */
  readonly peers: readonly ServerSource[];
  /** The way to the host of a SIP URI; undefined unless it is an address that may talk to us. */
  flowTo(uri: string): Flow | undefined;
  /** Lets addresses in that are none of SIP Server's any more, while `check` says so (calls still go by them). */
  allowAlso(check: (address: string) => boolean): void;
  /** Closes the socket and looks nothing up any more. Idempotent. */
  close(): Promise<void>;
}

/** How long start waits for SIP Server's names, ms; the lookups go on behind it. */
const lookupPatienceMs = 5_000;

/**
 * Binds the SIP socket; `onRequest` gets the requests outside dialogs. Rejects with the system's error when the
 * address cannot be bound. A server's name that is not known now may be later.
 */
export async function openSipSocket(
  config: Config,
  surroundings: GatewaySurroundings,
  onRequest: (request: SipRequest, transaction: ServerTransaction) => void,
): Promise<SipSocket> {
  const { clock, random, log } = surroundings;
  const dispatcher = new DialogDispatcher(onRequest);
  const sipLog = log.child({ room: "sip" });
  const transactions = createTransactionLayer({ clock, random, log: sipLog, user: dispatcher });
  const names: NamedServer[] = [];
  const always = allowList(config.sipServer.allow);
  let also = (_address: string): boolean => false;
  const allow = (address: string): boolean =>
    always(address) || names.some((name) => name.knows(address)) || also(address);
  const udp = await openUdpTransport({ ...config.sip, receiver: transactions, allow, log: sipLog });
  const { scheme, addresses, lookupSeconds } = config.sipServer;
  for (const server of addresses)
    names.push(
      new NamedServer({
        server,
        transport: "udp",
        resolver: surroundings.resolver ?? systemResolver,
        flowTo: (address, port) => udp.flowTo(address, port),
        refreshSeconds: lookupSeconds,
        clock,
        random,
        log: sipLog,
      }),
    );
  await lookedUp(names, surroundings);
  return {
    transactions,
    dispatcher,
    udp,
    peers: scheme === "business-continuity" ? names : [joinServers(names)],
    flowTo(uri) {
      const target = parseUri(uri);
      if (!target || !isIPv4(target.host) || !allow(target.host)) return undefined;
      return udp.flowTo(target.host, target.port ?? 5060);
    },
    allowAlso(check) {
      also = check;
    },
    async close() {
      for (const name of names) name.close();
      await udp.close();
    },
  };
}

/** Resolves when every name was looked up, or when start should wait no longer. */
function lookedUp(names: readonly NamedServer[], { clock }: GatewaySurroundings): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(lookupPatienceMs, resolve);
    void Promise.all(names.map((name) => name.start())).then(() => {
      timer.clear();
      resolve();
    });
  });
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
