/** SIP Server's side of `bench:registrations`: two addresses on loopback, in a process of its own. */
import { PacketMeter, RegistrarDouble, type PacketFigures } from "./registrar-double.ts";
import { serve } from "./rpc.ts";

const meter = new PacketMeter();
const servers: RegistrarDouble[] = [];

function at(index: number): RegistrarDouble {
  const server = servers[index];
  if (!server) throw new Error(`no server ${index}`);
  return server;
}

async function open(): Promise<readonly number[]> {
  servers.push(await RegistrarDouble.open(meter), await RegistrarDouble.open(meter));
  return servers.map(({ port }) => port);
}

/** A phase begins, perhaps with a server that dies or comes back, knowing nothing any more. */
function begin({ kill, revive }: { readonly kill?: number; readonly revive?: number }): void {
  if (kill !== undefined) {
    at(kill).dead = true;
    // A DN may have been here already, when an answer of the other one was late.
    for (const server of servers) if (!server.dead) server.bindings.clear();
  }
  if (revive !== undefined) {
    at(revive).dead = false;
    at(revive).bindings.clear();
  }
  for (const server of servers) server.firstRegisterAt = undefined;
  meter.restart();
}

/** When so many DNs are bound at a server: the phase so far, and when the first REGISTER came, ms after its begin. */
async function until({ server, count }: { readonly server: number; readonly count: number }) {
  const startedAt = performance.now();
  await at(server).until(count);
  const first = at(server).firstRegisterAt ?? startedAt;
  return { firstAfterMs: Math.max(0, first - startedAt), packets: meter.figures };
}

function figures(): PacketFigures {
  return meter.figures;
}

function bound(): number[] {
  return servers.map(({ bindings }) => bindings.size);
}

const handlers = { open, begin, until, figures, bound };
export type RegistrarsHandlers = typeof handlers;
serve(handlers);
