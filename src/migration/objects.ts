import type { Place, Section, Setting } from "./config-file.ts";

/** One object of pjsip.conf: a section with a `type`. Several may have one name. */
export class PjsipObject {
  readonly name: string;
  readonly type: string;
  readonly at: Place;
  readonly settings: readonly Setting[];

  constructor(name: string, type: string, at: Place, settings: readonly Setting[]) {
    this.name = name;
    this.type = type;
    this.at = at;
    this.settings = settings;
  }

  /** The setting that holds: the last one of its key. */
  setting(key: string): Setting | undefined {
    return this.settings.findLast((setting) => setting.key === key);
  }

  /** Its value; undefined where it is missing or empty. */
  value(key: string): string | undefined {
    return this.setting(key)?.value || undefined;
  }

  isOn(key: string): boolean {
    return isYes(this.value(key));
  }

  /** All values of a key that may stand several times and hold lists. */
  list(key: string): string[] {
    return this.settings.filter((setting) => setting.key === key).flatMap(({ value }) => listOf(value));
  }

  number(key: string): number | undefined {
    const value = this.value(key);
    return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
  }
}

export function isYes(value: string | undefined): boolean {
  return /^(?:yes|true|y|t|1|on)$/i.test(value ?? "");
}

export function listOf(value: string): string[] {
  return value.split(",").flatMap((word) => word.trim() || []);
}

/** The objects of pjsip.conf by type, found by name. */
export class PjsipObjects {
  readonly all: readonly PjsipObject[];
  readonly #byId = new Map<string, PjsipObject>();
  readonly #byType = new Map<string, PjsipObject[]>();

  constructor(objects: readonly PjsipObject[]) {
    this.all = objects;
    for (const object of objects) {
      this.#byId.set(`${object.type} ${object.name}`, object);
      const alike = this.#byType.get(object.type);
      if (alike) alike.push(object);
      else this.#byType.set(object.type, [object]);
    }
  }

  of(type: string): readonly PjsipObject[] {
    return this.#byType.get(type) ?? [];
  }

  named(type: string, name: string | undefined): PjsipObject | undefined {
    return name === undefined ? undefined : this.#byId.get(`${type} ${name}`);
  }

  /** Those that a list of an object names, e.g. the aors of an endpoint. */
  namedBy(object: PjsipObject, key: string, type: string): PjsipObject[] {
    return object.list(key).flatMap((name) => this.named(type, name) ?? []);
  }
}

/** An entry of a table by a name out of a file, which may be `constructor`. */
export function ownOf<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** What `type` says of a section; undefined where it has none. */
export function typeOf(section: Section): string | undefined {
  return section.settings.findLast(({ key }) => key === "type")?.value.toLowerCase();
}
