import type { CredentialStore, Enrolment } from "./contract.ts";
import { GatewayUnreachable, type GatewayClient } from "./gateway/client.ts";
import { isDn, isToken } from "./gateway/enrolment.ts";

/**
 * Exchanges a one-time code for the agent's token (`POST /endpoint/enrol`) and keeps it. Resolves with the DN or with why not, in
 * words; rejects when the store cannot be written.
 */
export async function enrol(
  code: string,
  gateway: string,
  client: Pick<GatewayClient, "ask">,
  store: CredentialStore,
): Promise<{ readonly dn: string } | { readonly fault: string }> {
  const headers = { "content-type": "application/json" };
  const body = Buffer.from(JSON.stringify({ code }));
  try {
    const answer = await client.ask({ method: "POST", path: "/endpoint/enrol", headers, body });
    const enrolment = answer.status === 200 ? enrolmentOf(answer.body, gateway) : undefined;
    if (!enrolment) return { fault: refusals[answer.status] ?? `the gateway answered HTTP ${answer.status}` };
    await store.write(JSON.stringify(enrolment));
    return { dn: enrolment.dn ?? "not told" };
  } catch (error) {
    if (error instanceof GatewayUnreachable) return { fault: error.message };
    throw error;
  }
}

const refusals: Readonly<Record<number, string>> = {
  200: "the gateway's answer is none",
  401: "the code is wrong, used or expired: have a new one made",
  404: "this gateway has no endpoint API: its `endpoint` section is off",
  429: "too many wrong codes came from this address: wait a few minutes",
};

function enrolmentOf(body: Buffer, gateway: string): Enrolment | undefined {
  try {
    const { token, dn } = JSON.parse(body.toString()) as { readonly token?: unknown; readonly dn?: unknown };
    return isToken(token) ? { gateway, token, ...(isDn(dn) ? { dn } : {}) } : undefined;
  } catch {
    return undefined;
  }
}
