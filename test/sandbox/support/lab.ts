import { silentLogger, systemClock, type Clock } from "../../../src/core/index.ts";
import { openSandbox, type Sandbox, type SandboxOptions } from "../../../src/sandbox/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { Endpoint, request, response, sdp, type Seen } from "./endpoint.ts";

/** A sandbox on a free port of loopback, and the endpoints of a test, all closed together. */
export class Lab {
  readonly sandbox: Sandbox;
  readonly #endpoints: Endpoint[] = [];

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  static async open(clock: Clock = systemClock, options: Partial<SandboxOptions> = {}): Promise<Lab> {
    const sandbox = await openSandbox({
      host: "127.0.0.1",
      port: 0,
      dns: ["5001-5003"],
      clock,
      random: new CountingRandom(),
      log: silentLogger,
      ...options,
    });
    return new Lab(sandbox);
  }

  async endpoint(dn: string): Promise<Endpoint> {
    const endpoint = await Endpoint.open(dn, this.sandbox.port);
    this.#endpoints.push(endpoint);
    return endpoint;
  }

  async registered(dn: string): Promise<Endpoint> {
    const endpoint = await this.endpoint(dn);
    await endpoint.register();
    return endpoint;
  }

  /** The state of the only call's only agent, or of the one named. */
  legState(dn = "5001"): string | undefined {
    const parties = this.sandbox.calls().flatMap((call) => call.parties);
    return parties.find((party) => party.name === dn)?.dialog?.state;
  }

  /**
   * How many messages the sandbox has sent that match, arrived or not: for what must not have been sent yet,
   * where counting at the endpoint would pass merely because the network takes its time.
   */
  sent(pattern: RegExp): number {
    return this.sandbox.trace().filter((entry) => entry.direction === "out" && pattern.test(entry.text))
      .length;
  }

  async close(): Promise<void> {
    await this.sandbox.close();
    for (const endpoint of this.#endpoints) await endpoint.close();
  }
}

/** Lets the event loop turn until `condition` holds; throws after some seconds of turning. */
export async function until(condition: () => boolean, what = "condition"): Promise<void> {
  const limit = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Some turns of the event loop: time for what is started by a timer but finished by a promise or a socket. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Dials a number from an endpoint and ACKs the answer; resolves with the 200. */
export async function dial(endpoint: Endpoint, number: string, port: number): Promise<Seen> {
  endpoint.request("INVITE", `sip:${number}@127.0.0.1`, [endpoint.contact], sdp(port));
  const ok = await endpoint.next(response(200, "INVITE"), "200 to INVITE");
  ack(endpoint, ok);
  return ok;
}

/** ACK of a 2xx in a call the endpoint made. */
export function ack(endpoint: Endpoint, ok: Seen, body = ""): void {
  endpoint.request(
    "ACK",
    ok.header("Contact").replace(/[<>]/g, ""),
    [`Call-ID: ${ok.header("Call-ID")}`, `CSeq: ${Number.parseInt(ok.header("CSeq"), 10)} ACK`],
    body,
    /;tag=(.*)/.exec(ok.header("From"))?.[1] ?? "",
    ok.header("To"),
  );
}

/** Lets an endpoint be rung and answer with `port`; resolves with the INVITE and its ACK. */
export async function beAnswered(endpoint: Endpoint, port: number): Promise<{ invite: Seen; ack: Seen }> {
  const invite = await endpoint.next(request("INVITE"), "INVITE");
  endpoint.answer(invite, 180);
  endpoint.answer(invite, 200, { body: sdp(port) });
  return { invite, ack: await endpoint.next(request("ACK"), "ACK") };
}
