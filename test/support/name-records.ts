import type { NameResolver, ServiceRecord } from "../../src/registrar/index.ts";

/** A DNS in memory: what it does not hold it does not know (ENOTFOUND). */
export class NameRecords implements NameResolver {
  readonly a: Record<string, string[]> = {};
  readonly srv: Record<string, ServiceRecord[]> = {};
  /** Code that every question fails with, while set. */
  failure: string | undefined;
  /** Questions asked, in order: `A sips.example.com`. */
  readonly asked: string[] = [];

  addresses(name: string): Promise<readonly string[]> {
    return this.#answer(`A ${name}`, this.a[name]);
  }

  services(name: string): Promise<readonly ServiceRecord[]> {
    return this.#answer(`SRV ${name}`, this.srv[name]);
  }

  #answer<Value>(question: string, found: Value | undefined): Promise<Value> {
    this.asked.push(question);
    const code = this.failure ?? (found === undefined ? "ENOTFOUND" : undefined);
    if (code !== undefined || found === undefined)
      return Promise.reject(Object.assign(new Error(`query ${question}`), { code }));
    return Promise.resolve(found);
  }
}

export const srvRecord = (name: string, port: number, priority = 10, weight = 10): ServiceRecord => ({
  name,
  port,
  priority,
  weight,
});
