export type * from "./types.ts";
export type { Authentication } from "./authenticated-request.ts";
export { DialogDispatcher } from "./dialogs.ts";
export { refuseByTerms } from "./option-tags.ts";
export { Session, type SessionState } from "./session.ts";
export { IncomingInvite } from "./uas.ts";
export { OutgoingInvite, type InviteTarget } from "./uac.ts";
export {
  readRefer,
  receiveRefer,
  sipfragStatus,
  type IncomingRefer,
  type ReferRefusal,
  type ReferWish,
} from "./incoming-refer.ts";
export { ReferNotifier, referLifetimeSeconds, type SendNotify } from "./refer-notifier.ts";
export { acceptRefer } from "./refer-dialog.ts";
