export type * from "./types.ts";
export type { Authentication } from "./authenticated-request.ts";
export { DialogDispatcher } from "./dialogs.ts";
export { refuseByTerms } from "./option-tags.ts";
export { Session, type SessionState } from "./session.ts";
export { IncomingInvite } from "./uas.ts";
export { OutgoingInvite, type InviteTarget } from "./uac.ts";
