import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { DatagramSocket } from "./contract.ts";

/** Room for some 20,000 small packets while the worker is busy, bytes; the kernel may grant less (rmem_max). */
const receiveBufferBytes = 4 * 1024 * 1024;
const sendBufferBytes = 1024 * 1024;

/** Datagrams the system may hold back before more are dropped: late sound is worth nothing. */
export const maxQueuedSends = 32;

/** Addresses are numbers already: without this node looks each up in the next turn of the event loop. */
function sameAddress(
  address: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, 0); // dgram knows its own family and does not look
}

export interface BindOptions {
  /** Local address, e.g. `0.0.0.0`. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Told of an error of the socket, e.g. an unreachable network; it stays open. */
  readonly onError?: (error: Error) => void;
  /** Told of each datagram before it is handed on. */
  readonly onRead?: () => void;
}

/** Binds the shared UDP port. Rejects with node's error when the port is taken or the address is not ours. */
export async function bindDatagramSocket({
  host,
  port,
  onError,
  onRead,
}: BindOptions): Promise<DatagramSocket> {
  const socket = createSocket({
    type: isIPv6(host) ? "udp6" : "udp4",
    recvBufferSize: receiveBufferBytes,
    sendBufferSize: sendBufferBytes,
    lookup: sameAddress,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, host, () => {
      socket.removeListener("error", reject);
      resolve();
    });
  });
  socket.on("error", (error) => onError?.(error));
  return wrap(socket, onRead);
}

function wrap(socket: Socket, onRead: BindOptions["onRead"]): DatagramSocket {
  let open = true;
  const wrapped: DatagramSocket = {
    port: socket.address().port,
    receiveBufferBytes: socket.getRecvBufferSize(),
    onMessage: undefined,
    send(packet, length, port, address) {
      if (!open || socket.getSendQueueCount() >= maxQueuedSends) return false;
      socket.send(packet, 0, length, port, address);
      return true;
    },
    close() {
      if (!open) return Promise.resolve();
      open = false;
      return new Promise((resolve) => {
        socket.close(() => resolve());
      });
    },
  };
  socket.on("message", (packet, { address, port }) => {
    onRead?.();
    wrapped.onMessage?.(packet, address, port);
  });
  return wrapped;
}
