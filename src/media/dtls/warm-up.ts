import { DtlsClient } from "werift";
import type { Clock, Random } from "../../core/index.ts";
import { srtpProfiles } from "../srtp/index.ts";
import { DtlsEndpoint } from "./endpoint.ts";
import { ecdsaP256Sha256, FlightTaken, type DtlsCertificate } from "./werift-engine.ts";

/** The first handshake of a process takes some 50 ms, the third 6: modules load, code gets hot. */
const handshakes = 2;

/**
 * Goes through handshakes in memory, so that the first browser does not wait for what only the first needs.
 * Resolves when done, whatever came of it: false says that a handshake failed. Leaves no timer behind.
 */
export async function warmUpDtls(
  certificate: DtlsCertificate,
  clock: Clock,
  random: Random,
): Promise<boolean> {
  let done = true;
  for (let round = 0; round < handshakes; round++)
    done = (await handshake(certificate, clock, random)) && done;
  return done;
}

function handshake(certificate: DtlsCertificate, clock: Clock, random: Random): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (done: boolean): void => {
      endpoint.close();
      resolve(done);
    };
    const endpoint: DtlsEndpoint = new DtlsEndpoint({
      certificate,
      clock,
      random,
      remoteFingerprints: [certificate.fingerprint],
      send: (datagram) => client.receive(datagram),
      onKeys: () => finish(true),
      onFailure: () => finish(false),
    });
    const client = makeClient(
      certificate,
      (datagram) => endpoint.receive(datagram),
      () => finish(false),
    );
    client.start();
  });
}

/** The other end: werift's client, each of its flights taken from it before it starts a retransmission timer. */
function makeClient(
  certificate: DtlsCertificate,
  send: (datagram: Buffer) => void,
  fail: () => void,
): { readonly start: () => void; readonly receive: (datagram: Buffer) => void } {
  let flight: readonly Buffer[] = [];
  const transport = {
    type: "udp",
    closed: false,
    address: { address: "", family: "IPv4", port: 0 },
    onData: (_data: Buffer): void => {},
    send: (data: Buffer): Promise<void> => {
      flight = [data];
      throw new FlightTaken();
    },
    close: (): Promise<void> => Promise.resolve(),
  };
  const client = new DtlsClient({
    transport,
    cert: certificate.certPem,
    key: certificate.keyPem,
    signatureHash: ecdsaP256Sha256,
    srtpProfiles: [srtpProfiles.aesCm128HmacSha1Tag80],
    extendedMasterSecret: true,
  });
  /** Sends the flight that ended `step`; flight 5 is of several records, which werift keeps. */
  const pass = async (step: Promise<void>): Promise<void> => {
    const error: unknown = await step.catch((reason: unknown) => reason);
    if (error instanceof FlightTaken)
      for (const datagram of client.dtls.flight === 5 ? client.dtls.lastMessage : flight) send(datagram);
    else if (error !== undefined) fail();
  };
  const handle = client.onHandleHandshakes;
  client.onHandleHandshakes = (messages) => pass(handle(messages));
  return { start: () => void pass(client.connect()), receive: (datagram) => transport.onData(datagram) };
}
