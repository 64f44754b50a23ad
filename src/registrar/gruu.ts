import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import type { Random } from "../core/index.ts";
import { unescapeText, type SipUri } from "../sip/index.ts";
import type { Binding } from "./binding.ts";
import type { BindingUpdate } from "./contact-flow.ts";

const temporaryPrefix = "tgruu.";
const tokenBytes = 16;
const tagBytes = 10;

/** One row of temporary GRUUs that are valid together: those of a contact under one Call-ID (RFC 5627 5.3). */
interface Epoch {
  readonly callId: string;
  readonly binding: Binding;
}

/**
 * GRUUs (RFC 5627) of the agents' clients. The public one says DN and instance and is the same for ever. A temporary one
 * is new with each REGISTER and tells nothing: number of its row and chance, encrypted (RFC 5627 appendix A.2), so that
 * however many are valid there is one map entry for each contact.
 */
export class Gruus {
  readonly #random: Random;
  readonly #key: Buffer;
  readonly #tagKey: Buffer;
  readonly #epochs = new Map<number, Epoch>();
  /** By binding, then `reg-id`. */
  readonly #current = new WeakMap<Binding, Map<string | undefined, number>>();
  #next = 1;

  constructor(random: Random) {
    this.#random = random;
    this.#key = random.bytes(16);
    this.#tagKey = random.bytes(32);
  }

  /** `sip:5001@jackfield;gr=urn:uuid:...`; `aor`: To of the REGISTER. */
  publicGruu(aor: SipUri, { instance }: Pick<Binding, "instance">): string {
    return `sip:${aor.user ?? ""}@${aor.host};gr=${escapeParameter(bare(instance))}`;
  }

  /** A new temporary GRUU; with another Call-ID than before those of the contact so far are void. */
  temporaryGruu(aor: SipUri, binding: Binding, contact: Pick<BindingUpdate, "regId" | "callId">): string {
    const block = Buffer.alloc(tokenBytes);
    block.writeUIntBE(this.#epochOf(binding, contact), 0, 6);
    this.#random.bytes(tokenBytes - 6).copy(block, 6);
    const cipher = createCipheriv("aes-128-ecb", this.#key, null).setAutoPadding(false);
    const token = Buffer.concat([cipher.update(block), cipher.final()]);
    const text = Buffer.concat([token, this.#tagOf(token)]).toString("base64url");
    return `sip:${temporaryPrefix}${text}@${aor.host};gr`;
  }

  /** The client a temporary GRUU was given to, undefined when it is void or made up. */
  findTemporary(uri: SipUri): Binding | undefined {
    const user = unescapeText(uri.user ?? "");
    if (!user.startsWith(temporaryPrefix) || user.length > 64) return undefined;
    const bytes = Buffer.from(user.slice(temporaryPrefix.length), "base64url");
    if (bytes.length !== tokenBytes + tagBytes) return undefined;
    const token = bytes.subarray(0, tokenBytes);
    if (!timingSafeEqual(this.#tagOf(token), bytes.subarray(tokenBytes))) return undefined;
    const decipher = createDecipheriv("aes-128-ecb", this.#key, null).setAutoPadding(false);
    const block = Buffer.concat([decipher.update(token), decipher.final()]);
    return this.#epochs.get(block.readUIntBE(0, 6))?.binding;
  }

  /** The client of a public GRUU among those of its DN. */
  findPublic(uri: SipUri, bindings: readonly Binding[]): Binding | undefined {
    const wanted = unescapeText(uri.parameters.get("gr") ?? "");
    return bindings.find(({ instance, instanceMadeUp }) => !instanceMadeUp && bare(instance) === wanted);
  }

  /** All temporary GRUUs of a client are void from now on. Idempotent. */
  forget(binding: Binding): void {
    for (const number of this.#current.get(binding)?.values() ?? []) this.#epochs.delete(number);
    this.#current.delete(binding);
  }

  /** Rows of valid temporary GRUUs. */
  get size(): number {
    return this.#epochs.size;
  }

  clear(): void {
    this.#epochs.clear();
  }

  #epochOf(binding: Binding, { regId, callId }: Pick<BindingUpdate, "regId" | "callId">): number {
    const own = this.#current.get(binding) ?? new Map<string | undefined, number>();
    this.#current.set(binding, own);
    for (const [key, number] of own) {
      if (binding.contactOf(key)) continue;
      this.#epochs.delete(number);
      own.delete(key);
    }
    const known = own.get(regId);
    if (known !== undefined && this.#epochs.get(known)?.callId === callId) return known;
    if (known !== undefined) this.#epochs.delete(known);
    const number = this.#next++;
    own.set(regId, number);
    this.#epochs.set(number, { callId, binding });
    return number;
  }

  #tagOf(token: Buffer): Buffer {
    return createHmac("sha256", this.#tagKey).update(token).digest().subarray(0, tagBytes);
  }
}

/** Without the brackets that `+sip.instance` has around the URN. */
function bare(instance: string): string {
  return instance.replace(/^<|>$/g, "");
}

/** Text as the value of a URI parameter (RFC 3261 25.1 paramchar). */
function escapeParameter(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9\-_.!~*'()[\]/:&+$]/gu, (character) => encodeURIComponent(character));
}
