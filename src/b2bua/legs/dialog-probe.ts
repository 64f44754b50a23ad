import type { Dialog, Flow, SessionContext } from "../../sip/index.ts";

/** What a question within SIP Server's dialog came to. `unknown`: it has no such call (481). */
export type DialogAnswer = "alive" | "unknown" | "silent";

/** As Genesys advises for non-INVITE transactions, ms (genesys-sip-server.md 10). */
const probeTimeoutMs = 4000;

/** Asks by OPTIONS within the dialog whether SIP Server still has the call; `done` is called once. */
export function probeDialog(
  { transactions }: SessionContext,
  dialog: Dialog,
  flow: Flow,
  contact: string,
  done: (answer: DialogAnswer) => void,
): void {
  const silent = (): void => done("silent");
  transactions.request(
    dialog.createRequest("OPTIONS", [["Contact", contact]]),
    flow,
    {
      onResponse: ({ status }) => {
        if (status >= 200) done(status === 481 ? "unknown" : status === 408 ? "silent" : "alive");
      },
      onTimeout: silent,
      onTransportError: silent,
    },
    { timeoutMs: probeTimeoutMs },
  );
}
