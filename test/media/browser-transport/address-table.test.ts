import { describe, expect, it } from "vitest";
import { AddressTable } from "../../../src/media/browser-transport/address-table.ts";

const ann = { name: "ann" };
const bob = { name: "bob" };

describe("AddressTable", () => {
  it("finds an owner by address and port together", () => {
    const table = new AddressTable<object>();
    table.validate(ann, "192.0.2.1", 1000, 0, undefined);
    table.validate(bob, "192.0.2.2", 1000, 0, undefined);
    expect(table.find("192.0.2.1", 1000)?.owner).toBe(ann);
    expect(table.find("192.0.2.2", 1000)?.owner).toBe(bob);
    expect(table.find("192.0.2.1", 1001)).toBeUndefined();
    expect(table.find("192.0.2.3", 1000)).toBeUndefined();
  });

  it("keeps one entry per address however often it is validated", () => {
    const table = new AddressTable<object>();
    const first = table.validate(ann, "192.0.2.1", 1000, 0, undefined);
    expect(table.validate(ann, "192.0.2.1", 1000, 50, undefined)).toBe(first);
    expect(first?.lastCheckAt).toBe(50);
    expect(table.size).toBe(1);
  });

  it("gives an address to another owner only after ten silent seconds", () => {
    const table = new AddressTable<object>();
    const entry = table.validate(ann, "192.0.2.1", 1000, 0, undefined);
    expect(table.validate(bob, "192.0.2.1", 1000, 9999, undefined)).toBeUndefined();
    expect(table.validate(bob, "192.0.2.1", 1000, 10_000, undefined)?.owner).toBe(bob);
    expect(entry && table.has(entry)).toBe(false);
    expect(table.size).toBe(1);
  });

  it("holds eight addresses per owner and drops the longest unused but for the kept one", () => {
    const table = new AddressTable<object>();
    const kept = table.validate(ann, "192.0.2.1", 1, 0, undefined);
    for (let port = 2; port <= 12; port++) table.validate(ann, "192.0.2.1", port, port, kept);
    expect(table.size).toBe(8);
    expect(table.find("192.0.2.1", 1)).toBe(kept);
    expect(table.find("192.0.2.1", 2)).toBeUndefined();
    expect(table.find("192.0.2.1", 12)?.owner).toBe(ann);
  });

  it("is empty after all owners are released", () => {
    const table = new AddressTable<object>();
    for (let port = 1; port < 5; port++) {
      table.validate(ann, "192.0.2.1", port, 0, undefined);
      table.validate(bob, "192.0.2.2", port, 0, undefined);
    }
    table.release(ann);
    expect(table.size).toBe(4);
    table.release(bob);
    table.release(bob);
    expect(table.size).toBe(0);
  });
});
