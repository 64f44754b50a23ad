import type {
  FlowReceiver,
  ServerTransaction,
  SipRequest,
  TransactionLayerWithReceiver,
} from "../../sip/index.ts";
import type { Signalling } from "./signalling.ts";

/** Requests outside dialogs: by the side they came from, then by method. */
export function receiveRequest(
  { b2bua, registerDesk }: Pick<Signalling, "b2bua" | "registerDesk">,
  request: SipRequest,
  transaction: ServerTransaction,
): void {
  if (transaction.flow.side === "trunk") b2bua.handleFromTrunk(request, transaction);
  else if (request.method === "REGISTER") registerDesk.receive(transaction);
  else b2bua.handleFromBrowser(request, transaction);
}

/** Where what comes by browsers' connections goes, and who hears that one is gone. */
export function browserReceiver(
  transactions: TransactionLayerWithReceiver,
  { registrar, b2bua }: Pick<Signalling, "registrar" | "b2bua">,
): FlowReceiver {
  return {
    receive: (flow, bytes, framing) => transactions.receive(flow, bytes, framing),
    flowClosed: (flow) => {
      transactions.flowClosed(flow);
      registrar.flowClosed(flow);
      b2bua.connectionLost();
    },
  };
}
