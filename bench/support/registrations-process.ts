/** The gateway's side of `bench:registrations`: SIP socket, transactions and trunk registrations, no browsers. */
import { createLogger, systemClock, systemRandom, TypedEvents, type Clock } from "../../src/core/index.ts";
import {
  createTrunkRegistrations,
  fixedServers,
  type PacedTrunkRegistrations,
  type TrunkOptions,
} from "../../src/registrar/index.ts";
import {
  createTransactionLayer,
  openUdpTransport,
  type TransactionLayerWithReceiver,
  type UdpTransport,
} from "../../src/sip/index.ts";
import { serve } from "./rpc.ts";

const host = "127.0.0.1";

export interface RegistrationSettings {
  readonly ports: readonly number[];
  readonly dns: number;
  readonly options: TrunkOptions;
}

interface Running {
  readonly trunk: PacedTrunkRegistrations;
  readonly layer: TransactionLayerWithReceiver;
  readonly transport: UdpTransport;
  readonly dns: readonly string[];
}

let running: Running | undefined;
let timers = 0;

/** The machine's clock; it knows how many timers are left. */
const clock: Clock = {
  now: () => systemClock.now(),
  wallClock: () => systemClock.wallClock(),
  setTimer(delayMs, callback) {
    let over = false;
    const end = (): void => {
      if (!over) timers--;
      over = true;
    };
    timers++;
    const timer = systemClock.setTimer(delayMs, () => {
      end();
      callback();
    });
    return {
      clear() {
        end();
        timer.clear();
      },
    };
  },
};

function opened(): Running {
  if (!running) throw new Error("open comes first");
  return running;
}

/** Opens the socket and has every DN registered (mode `all`): presences cost nothing here. */
async function open({ ports, dns: count, options }: RegistrationSettings): Promise<void> {
  // Lines are made as in production, and then let go.
  const log = createLogger("info", { write() {} });
  const user = { onRequest: () => {}, onAck: () => {} };
  const layer = createTransactionLayer({ clock, random: systemRandom, log, user });
  const transport = await openUdpTransport({
    host,
    port: 0,
    advertisedAddress: host,
    receiver: layer,
    allow: () => true,
    log,
  });
  const dns = Array.from({ length: count }, (_none, index) => String(10_001 + index));
  const trunk = createTrunkRegistrations({
    registrar: { events: new TypedEvents(log), find: () => undefined, presences: () => [] },
    transactions: layer,
    peers: [fixedServers(ports.map((port) => transport.flowTo(host, port)))],
    contact: `${host}:${transport.port}`,
    credentials: () => undefined,
    clock,
    random: systemRandom,
    log,
    options: { ...options, mode: "all", allDns: dns },
  });
  running = { trunk, layer, transport, dns };
}

/** CPU time of the process so far, ms. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** After collections: they are not to count for the phase that was measured. */
async function memory() {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { residentKb: Math.round(rss / 1024), heapKb: Math.round(heapUsed / 1024) };
}

/** How many DNs are in service by their own account. */
function inService(): number {
  const { trunk, dns } = opened();
  return dns.filter((dn) => trunk.status(dn).state === "in-service").length;
}

/** Un-registers all and tells what is left then, all zero; transactions have `forgetMs` to go (RFC 3261, timer K). */
async function close({ timeoutMs, forgetMs }: { readonly timeoutMs: number; readonly forgetMs: number }) {
  const { trunk, layer, transport } = opened();
  const busy = await trunk.closeAll({ unregister: true, timeoutMs });
  await new Promise((resolve) => setTimeout(resolve, forgetMs));
  const { client, server } = layer.counts;
  layer.close();
  await transport.close();
  return { busy, ...trunk.counts, transactions: client + server, timers };
}

const handlers = { open, cpuMs, memory, inService, close };
export type RegistrationsHandlers = typeof handlers;
serve(handlers);
