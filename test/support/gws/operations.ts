import type { Sandbox } from "../../../src/sandbox/index.ts";
import type { CallWatch } from "./calls.ts";

export class OperationError extends Error {}

type Body = Readonly<Record<string, unknown>>;

/**
 * What SIP Server is to do for an operation of GWS's. Throws `OperationError` where GWS would refuse at once; what the
 * returned function rejects with GWS tells by `ErrorMessage`.
 */
export function operate(
  sandbox: Sandbox,
  dn: string,
  watch: CallWatch,
  path: string,
  operation: string,
  body: Body,
): () => Promise<void> {
  if (/^me\/devices\/[^/]+\/calls$/.test(path) && operation === "Dial")
    return async () => void (await sandbox.makeCall(dn, numberOf(body)));
  const id = /^me\/calls\/([^/]+)$/.exec(path)?.[1] ?? "";
  const call = watch.find(id);
  if (call === undefined) throw new OperationError(`No call ${id}`);
  const capabilities = call["capabilities"];
  if (!Array.isArray(capabilities) || !capabilities.includes(operation))
    throw new OperationError(`${operation} is not possible now`);
  switch (operation) {
    case "Answer":
      return async () => void (await sandbox.answer(id, dn));
    case "Hangup":
      return async () => sandbox.hangUp(id);
    case "Hold":
      return async () => void (await sandbox.hold(id, dn));
    case "Retrieve":
      return async () => void (await sandbox.retrieve(id, dn));
    case "SendDtmf":
      return async () => void (await sandbox.dtmf(id, String(body["digits"]), dn));
    case "SingleStepTransfer":
      return async () => {
        const status = await sandbox.transfer(id, numberOf(body), dn);
        if (status >= 300) throw new Error(`Transfer failed: ${status}`);
      };
    case "InitiateTransfer":
      return async () => {
        await sandbox.hold(id, dn);
        const consult = await sandbox.makeCall(dn, numberOf(body));
        for (const one of [id, consult]) watch.extras.set(one, { ...watch.extras.get(one), consult: true });
      };
    case "CompleteTransfer":
      return async () => {
        const [first, second] = watch.all.map((one) => one.id);
        if (first === undefined || second === undefined) throw new Error("There is no consult call");
        if (!(await sandbox.completeTransfer(first, second, dn))) throw new Error("Cannot be connected");
      };
    case "SwapCalls":
      return async () => {
        const held = watch.all.find(({ state }) => state === "Held");
        if (held !== undefined) await sandbox.retrieve(held.id, dn);
      };
    default:
      throw new OperationError(`${operation} is not known here`);
  }
}

function numberOf(body: Body): string {
  const destination = body["destination"];
  const number: unknown =
    typeof destination === "object" && destination !== null
      ? Reflect.get(destination, "phoneNumber")
      : undefined;
  if (typeof number !== "string" || number === "") throw new OperationError("No phoneNumber in destination");
  return number;
}
