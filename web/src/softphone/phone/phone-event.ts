import type { CallSnapshot } from "./call-snapshot.ts";

/** What happens on the phone, as it is told to whoever listens. `call` is the call as it is then. */
export type PhoneEvent =
  | { readonly kind: "registered"; readonly dn: string }
  | { readonly kind: "unregistered"; readonly dn: string }
  /** `status`: of the response, 0 without one; `final`: nobody is signed in any more, else it is tried again. */
  | {
      readonly kind: "registration-failed";
      readonly dn: string;
      readonly status: number;
      readonly reason: string;
      readonly final: boolean;
    }
  /** `incoming`: rings here; `calling`: goes out; `progress`: rings there; `accepted`: answered. */
  | {
      readonly kind: "incoming" | "calling" | "progress" | "accepted" | "resumed";
      readonly call: CallSnapshot;
    }
  /** `changed`: another party, other data, or the far side rings or has answered. */
  | {
      readonly kind: "muted" | "unmuted" | "held" | "retrieved" | "transfer" | "changed" | "quality";
      readonly call: CallSnapshot;
    }
  /** As calls end (`reason` undefined), or cut short: `reason` in words. */
  | {
      readonly kind: "ended";
      readonly call: CallSnapshot;
      readonly by: "local" | "remote";
      readonly reason: string | undefined;
      /** It rang here and another phone took it. */
      readonly elsewhere: boolean;
    }
  /** Never answered, for a reason: `status` of the response, 0 without one. */
  | { readonly kind: "failed"; readonly call: CallSnapshot; readonly status: number; readonly reason: string }
  /** The far end's sound of the call that is shown, undefined when there is none any more. */
  | { readonly kind: "sound"; readonly stream: MediaStream | undefined }
  /** A short tone for the agent alone. */
  | { readonly kind: "beep" }
  /** Something to write down; a `problem` wants the person's attention. */
  | { readonly kind: "notice"; readonly text: string; readonly problem: boolean };
