import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { formatFaults, readHttpAddress, type HttpAddress } from "../../config/index.ts";

/** Below the time-out of common health checks (Docker: 30 s, Kubernetes: 1 s unless told). */
const answerMs = 3000;

/**
 * `jackfield health`: asks the gateway that runs with this configuration on this machine, as HEALTHCHECK does. Prints
 * what it says; 0 when it lives (`ready`: takes new calls), else 1. It asks the configuration's own address, so
 * whoever signed its certificate does not matter.
 */
export async function runHealth(
  options: {
    file: string | undefined;
    env: Readonly<Record<string, string | undefined>>;
    ready: boolean;
  },
  print: (line: string) => void = console.log,
): Promise<number> {
  const address = readHttpAddress(options);
  if ("faults" in address) {
    print(formatFaults(address.faults, options.file ?? "configuration"));
    return 1;
  }
  const path = options.ready ? "/health/ready" : "/health/live";
  try {
    const { status, body } = await ask(address, path);
    print(body);
    return status === 200 ? 0 : 1;
  } catch (error) {
    print(
      `${address.host}:${address.port}${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return 1;
  }
}

function ask({ host, port, tls }: HttpAddress, path: string): Promise<{ status: number; body: string }> {
  const where = { host, port, path, timeout: answerMs, agent: false };
  return new Promise((resolve, reject) => {
    const request = tls ? httpsRequest({ ...where, rejectUnauthorized: false }) : httpRequest(where);
    request.on("timeout", () => request.destroy(new Error(`no answer within ${answerMs} ms`)));
    request.on("error", reject);
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body += text.slice(0, 1000)));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.end();
  });
}
