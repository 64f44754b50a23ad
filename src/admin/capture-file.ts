import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Access } from "./access.ts";
import type { AuditLog } from "./status/audit-log.ts";

export interface CaptureFileRouteOptions {
  /** `media.captureDirectory`, absolute; without one there are no captures. */
  readonly directory: string | undefined;
  readonly access: Access;
  readonly audits: AuditLog;
}

type ByFile = { Params: { file: string } };

/** As the media room names them (label, time): no other file of the folder is given out, and no path. */
const captureName = /^[\w-]{1,64}-\d{8}T\d{6}\.\d{3}Z\.pcap$/;

/** `GET /api/captures/{file}` for role operate: a capture, finished, or what is written of one that runs. */
export function registerCaptureFileRoute(app: FastifyInstance, options: CaptureFileRouteOptions): void {
  app.get<ByFile>(
    "/api/captures/:file",
    { onRequest: options.access.operate, exposeHeadRoute: false },
    (request, reply) => send(options, request, reply),
  );
}

async function send(
  { directory, access, audits }: CaptureFileRouteOptions,
  request: FastifyRequest<ByFile>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { file } = request.params;
  const found =
    directory !== undefined && captureName.test(file) ? await openFile(join(directory, file)) : undefined;
  const outcome = found ? "done" : "there is no such capture";
  const { who, role } = access.identity(request);
  audits.note({
    who,
    role,
    address: request.ip,
    act: "download capture",
    target: file.slice(0, 100),
    outcome,
  });
  if (!found) return reply.status(404).send({ error: outcome });
  return reply
    .header("content-type", "application/vnd.tcpdump.pcap")
    .header("content-disposition", `attachment; filename="${file}"`)
    .header("content-length", found.bytes)
    .send(found.stream);
}

/** The first so many bytes it has now: one that runs goes on growing. */
async function openFile(path: string) {
  // A symbolic link that somebody put there leads elsewhere.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch(() => undefined);
  if (!handle) return undefined;
  const stat = await handle.stat();
  const bytes = stat.isFile() ? stat.size : 0;
  if (bytes === 0) {
    await handle.close();
    return undefined;
  }
  return { bytes, stream: handle.createReadStream({ start: 0, end: bytes - 1 }) };
}
