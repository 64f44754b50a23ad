export { xorMappedAddress } from "./address.ts";
export {
  IceLite,
  localUfragOf,
  stunError,
  type IceCredentials,
  type IceRefusal,
  type IceVerdict,
  type UfragTable,
} from "./ice-lite.ts";
export { decodeStun, encodeStun, type StunAttribute, type StunMessage } from "./stun.ts";
