export {
  IceLite,
  localUfragOf,
  stunError,
  type IceCredentials,
  type IceRefusal,
  type IceVerdict,
  type UfragTable,
} from "./ice-lite.ts";
export { decodeStun, type StunMessage } from "./stun.ts";
