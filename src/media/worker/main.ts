/** Entry of a media worker thread: puts the machine's clock, randomness and sockets together. */
import { parentPort, workerData } from "node:worker_threads";
import { readKernelDrops, systemClock, systemRandom } from "../../core/index.ts";
import { bindDatagramSocket, createBrowserPort } from "../browser-transport/index.ts";
import { warmUpOpus } from "../codec/opus.ts";
import { createCertificate, warmUpDtls } from "../dtls/index.ts";
import { MediaWorker } from "./media-worker.ts";
import type { WorkerCommand, WorkerMessage, WorkerSettings } from "./messages.ts";
import { createPortLogger } from "./port-logger.ts";
import { Rest } from "./rest.ts";

const main = parentPort;
if (!main) throw new Error("media worker must be started as a worker thread");

const settings: WorkerSettings = workerData;
const post: (message: WorkerMessage) => void = main.postMessage.bind(main);
const log = createPortLogger(post);
const common = { clock: systemClock, random: systemRandom, log };
const { packetRead: onRead } = new Rest({ now: () => systemClock.now() });

const socket = await bindDatagramSocket({
  host: settings.host,
  port: settings.browserPort,
  onError: (error) => log.debug({ err: error }, "browser port error"),
  onRead,
});
const certificate = await createCertificate();
// Before the first call, not during it: 2,000 frames take 0.15 s, side by side with the other workers.
await warmUpOpus(settings.warmUpFrames);
if (settings.warmUpFrames > 0 && !(await warmUpDtls(certificate, systemClock, systemRandom)))
  log.warn({}, "DTLS warm-up failed");
const browserPort = createBrowserPort({ socket, certificate, ...common });
const readings = {
  cpuMs: (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  },
  kernelDrops: () => readKernelDrops(settings.host, browserPort.port),
};
const worker = new MediaWorker({ settings, browserPort, readings, post, onRead, ...common });

main.on("message", (command: WorkerCommand) => {
  // A command that throws is a fault of ours: it ends this worker and is told (crash isolation).
  void worker.handle(command).then(() => {
    if (command.type === "stop") main.close();
  });
});
post({ type: "ready", browserPort: browserPort.port });
