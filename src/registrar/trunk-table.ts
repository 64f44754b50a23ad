import type { Transitions } from "../core/index.ts";
import type { TrunkState } from "./contract.ts";

/** What moves a DN's registration at SIP Server. */
export type TrunkInput =
  /** A REGISTER is due: sign-in, retry, or the move to another server. */
  | "register"
  /** A REGISTER that only prolongs what stands. */
  | "refresh"
  /** 2xx. */
  | "accepted"
  /** A passing failure: it will be tried again soon. */
  | "failed"
  /** SIP Server will not have it: tried again only after a long time or at the next sign-in. */
  | "refused"
  /** The server that holds the registration, and still grants it, answers again. */
  | "returned"
  /** Nobody is behind the DN any more. */
  | "released";

/** States of one DN toward SIP Server. */
export const trunkTable: Transitions<TrunkState, TrunkInput> = {
  idle: { register: "registering", released: "idle" },
  registering: {
    register: "registering",
    accepted: "in-service",
    failed: "backing-off",
    refused: "rejected",
    released: "idle",
  },
  "in-service": {
    register: "registering",
    refresh: "in-service",
    returned: "in-service",
    accepted: "in-service",
    failed: "backing-off",
    refused: "rejected",
    released: "idle",
  },
  "backing-off": {
    register: "registering",
    failed: "backing-off",
    returned: "in-service",
    released: "idle",
  },
  rejected: { register: "registering", released: "idle" },
};
