export { Admission } from "./admission.ts";
export { BrowserUas } from "./browser-uas.ts";
export { ClientOrders, type ClientOrder } from "./client-orders.ts";
export { DnLines } from "./dn-lines.ts";
export { TrunkUas } from "./trunk-uas.ts";
