import { isIPv4 } from "node:net";
import type { Config } from "../../config/index.ts";
import { addressList } from "../../core/index.ts";
import { joinServers, NamedServer, type ServerSource } from "../../registrar/index.ts";
import {
  createTransactionLayer,
  DialogDispatcher,
  parseUri,
  type Flow,
  type MessageObserver,
  type ServerTransaction,
  type SipRequest,
  type TransactionLayerWithReceiver,
} from "../../sip/index.ts";
import { openSipTransports, type SipTransports } from "./sip-transports.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { systemResolver } from "./system-resolver.ts";

/** The SIP layers up to dialogs, bound to their sockets. */
export interface SipSocket {
  readonly transactions: TransactionLayerWithReceiver;
  readonly dispatcher: DialogDispatcher;
  readonly transports: SipTransports;
  /** Where DNs are registered: one, or with Business Continuity each of the peers. */
  readonly peers: readonly ServerSource[];
  /** The way to the host of a SIP URI; undefined unless it is an address that may talk to us. */
  flowTo(uri: string): Flow | undefined;
  /** Lets addresses in that are none of SIP Server's any more, while `check` says so (calls still go by them). */
  allowAlso(check: (address: string) => boolean): void;
  /** Closes the sockets and looks nothing up any more. Idempotent. */
  close(): Promise<void>;
}

/** How long start waits for SIP Server's names, ms; the lookups go on behind it. */
const lookupPatienceMs = 5_000;

/**
 * Binds the SIP sockets; `onRequest` gets the requests outside dialogs. Rejects with the system's error when the
 * address cannot be bound. A server's name that is not known now may be later.
 */
export async function openSipSocket(
  config: Config,
  surroundings: GatewaySurroundings,
  onRequest: (request: SipRequest, transaction: ServerTransaction) => void,
  observer?: MessageObserver,
): Promise<SipSocket> {
  const { clock, random, log } = surroundings;
  const dispatcher = new DialogDispatcher(onRequest);
  const sipLog = log.child({ room: "sip" });
  const transactions = createTransactionLayer({ clock, random, log: sipLog, user: dispatcher, observer });
  const names: NamedServer[] = [];
  const always = addressList(config.sipServer.allow);
  let also = (_address: string): boolean => false;
  const allow = (address: string): boolean =>
    always(address) || names.some((name) => name.knows(address)) || also(address);
  const receiver = transactions;
  const transports = await openSipTransports(config, { receiver, allow, clock, random, log: sipLog });
  const { scheme, addresses, lookupSeconds } = config.sipServer;
  for (const server of addresses)
    names.push(
      new NamedServer({
        server,
        transport: server.transport,
        resolver: surroundings.resolver ?? systemResolver,
        flowTo: (address, port) => transports.serverFlow(server, address, port),
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
    transports,
    peers: scheme === "business-continuity" ? names : [joinServers(names)],
    flowTo(uri) {
      const target = parseUri(uri);
      if (!target) return undefined;
      const { host: address, port, parameters } = target;
      if (!isIPv4(address)) return names.map((name) => name.find(target)).find((flow) => flow !== undefined);
      if (!allow(address)) return undefined;
      return transports.flowTo({ address, port, transport: parameters.get("transport") });
    },
    allowAlso(check) {
      also = check;
    },
    async close() {
      for (const name of names) name.close();
      await transports.close();
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
