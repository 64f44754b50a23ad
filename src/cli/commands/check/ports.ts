import { createSocket, type Socket } from "node:dgram";
import { createServer } from "node:net";
import type { Config } from "../../../config/index.ts";
import { errorCode, type Report } from "./finding.ts";

/** What the SIP socket and the shared media sockets ask the kernel for, bytes. */
const wantedBuffer = 4 * 1024 * 1024;
/** RTP sockets tried at one time: below the usual limit of 1024 open files. */
const atOnce = 128;
/** Port that Trunk DNs' contacts have unless told otherwise. */
const usualTrunkPort = 5060;

/** Binds every port that the gateway would bind, and lets it go. Free afterwards. */
export async function checkPorts(config: Config, report: Report): Promise<void> {
  const { http, sip, media, metrics } = config;
  await say("http.port", `TCP ${http.host}:${http.port}`, await tryTcp(http.host, http.port), report);
  const { listen } = metrics;
  if (listen) {
    const { host, port } = listen;
    await say("metrics.listen.port", `TCP ${host}:${port}`, await tryTcp(host, port), report);
  }
  const transports = new Set(config.sipServer.addresses.map(({ transport }) => transport));
  if (transports.has("udp"))
    await say("sip.port", `UDP ${sip.host}:${sip.port}`, await tryUdp(sip.host, sip.port), report);
  if (transports.has("tcp") || transports.has("tls"))
    await say("sip.port", `TCP ${sip.host}:${sip.port}`, await tryTcp(sip.host, sip.port), report);
  checkTrunkPort(config, report);
  const first = media.browserPort;
  // Port 0 is any free one for each worker: one try tells as much as many.
  const count = first === 0 ? 1 : media.workers;
  for (let index = 0; index < count; index++) {
    const port = first === 0 ? 0 : first + index;
    const { host } = media.browserSide;
    await say("media.browserPort", `UDP ${host}:${port}`, await tryUdp(host, port), report);
  }
  await checkRtpPorts(media.sipServerSide.host, media.rtpPorts, report);
  await checkBuffer(report);
}

function checkTrunkPort({ sip }: Config, report: Report): void {
  if (sip.port !== usualTrunkPort) return;
  report({
    level: "warn",
    key: "sip.port",
    what: `is ${usualTrunkPort}, which a Trunk DN's contact usually has`,
    mend: `take another, or make sure that no Trunk DN has the contact ${sip.advertisedAddress}:${usualTrunkPort}: SIP Server would take the agents' REGISTERs for the trunk's`,
  });
}

async function say(key: string, name: string, fault: string | undefined, report: Report): Promise<void> {
  if (fault === undefined) report({ level: "ok", key, what: `${name} is free` });
  else report({ level: "fail", key, what: `${name} cannot be bound: ${words(fault)}`, mend: remedy(fault) });
}

function words(code: string): string {
  if (code === "EADDRINUSE") return "in use by another process";
  if (code === "EACCES") return "not allowed for this user";
  return code === "EADDRNOTAVAIL" ? "this machine has no such address" : code;
}

function remedy(code: string): string {
  if (code === "EADDRINUSE") return "stop that process (a gateway already running?) or take another port";
  if (code === "EACCES") return "take a port above 1023, or give the process CAP_NET_BIND_SERVICE";
  return code === "EADDRNOTAVAIL"
    ? "write an address of this machine, or 0.0.0.0"
    : "look into the machine's network";
}

async function checkRtpPorts(
  host: string,
  [first, last]: readonly [number, number],
  report: Report,
): Promise<void> {
  const faults: { port: number; code: string }[] = [];
  for (let port = first; port <= last; port += atOnce) {
    const ports = Array.from({ length: Math.min(atOnce, last - port + 1) }, (_, index) => port + index);
    const codes = await Promise.all(ports.map((one) => tryUdp(host, one)));
    for (const [index, code] of codes.entries())
      if (code !== undefined) faults.push({ port: port + index, code });
  }
  const key = "media.rtpPorts";
  const total = last - first + 1;
  const [worst] = faults;
  if (!worst) return report({ level: "ok", key, what: `UDP ${host}:${first}-${last} are free` });
  const some = faults.slice(0, 5).map(({ port }) => port);
  const list = `${some.join(", ")}${faults.length > some.length ? " ..." : ""}`;
  // A call passes over ports that are taken: only when all are is there no call.
  report({
    level: faults.length === total ? "fail" : "warn",
    key,
    what: `${faults.length} of ${total} ports cannot be bound: ${words(worst.code)} (${list})`,
    mend: remedy(worst.code),
  });
}

async function checkBuffer(report: Report): Promise<void> {
  const key = "receive buffer";
  const socket = createSocket("udp4");
  const fault = await bind(socket, "127.0.0.1", 0);
  if (fault !== undefined) return report({ level: "warn", key, what: `cannot be tried: ${fault}` });
  try {
    socket.setRecvBufferSize(wantedBuffer);
    // Linux books twice what was asked for and tells that (socket(7), SO_RCVBUF).
    const granted = Math.floor(socket.getRecvBufferSize() / 2);
    const what = `${granted} bytes granted of ${wantedBuffer} asked for`;
    if (granted >= wantedBuffer) report({ level: "ok", key, what });
    else report({ level: "warn", key, what, mend: `sysctl -w net.core.rmem_max=${wantedBuffer}` });
  } finally {
    await new Promise<void>((done) => socket.close(done));
  }
}

/** Code of the error that binding gave, undefined when it could be bound. */
export async function tryUdp(host: string, port: number): Promise<string | undefined> {
  const socket = createSocket("udp4");
  const fault = await bind(socket, host, port);
  if (fault === undefined) await new Promise<void>((done) => socket.close(done));
  return fault;
}

async function bind(socket: Socket, host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    socket.once("error", (error) => {
      resolve(errorCode(error));
      socket.close();
    });
    socket.bind({ address: host, port, exclusive: true }, () => resolve(undefined));
  });
}

async function tryTcp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(errorCode(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
