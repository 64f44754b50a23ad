export {
  BrowserPortFullError,
  type BrowserPort,
  type BrowserPortOptions,
  type BrowserTransport,
  type BrowserTransportHandlers,
  type BrowserTransportLocal,
  type BrowserTransportRemote,
  type DatagramSocket,
} from "./contract.ts";
export { bindDatagramSocket, type BindOptions } from "./datagram-socket.ts";
export { createBrowserPort } from "./port.ts";
