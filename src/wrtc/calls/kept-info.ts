/** Of a call that is being set up. */
const maximumCount = 16;
const maximumCharacters = 65_536;

/** One INFO for SIP Server. */
export interface Info {
  readonly contentType: string;
  readonly body: string;
}

/** What a client has for SIP Server before its call is established, in its order. */
export class KeptInfo {
  #infos: Info[] = [];
  #characters = 0;

  /** False: there is no room for it. */
  keep(contentType: string, body: string): boolean {
    if (this.#infos.length >= maximumCount || this.#characters + body.length > maximumCharacters)
      return false;
    this.#infos.push({ contentType, body });
    this.#characters += body.length;
    return true;
  }

  /** All, which are gone then. */
  take(): readonly Info[] {
    const infos = this.#infos;
    this.#infos = [];
    this.#characters = 0;
    return infos;
  }
}
