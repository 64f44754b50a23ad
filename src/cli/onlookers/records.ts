import { CallRecords, type RecordCounters } from "../../records/index.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";

/** An onlooker that tells how many records went where. */
export interface RecordsOnlooker extends Onlooker {
  readonly counters: RecordCounters;
}

/** Call records to a file and a webhook, as configured. */
export function openRecords({ live, surroundings, b2bua }: GatewayRooms): RecordsOnlooker | undefined {
  const { hideNumbers, file, webhook } = live.current.records;
  if (!file && !webhook) return undefined;
  const { clock, random, log } = surroundings;
  const records = new CallRecords({
    hideNumbers,
    ...(file ? { file: { ...file, maxBytes: file.maxMegabytes * 1_000_000 } } : {}),
    ...(webhook
      ? {
          webhook: {
            ...webhook,
            timeoutMs: webhook.timeoutSeconds * 1000,
            maxQueueBytes: webhook.maxQueueMegabytes * 1_000_000,
          },
        }
      : {}),
    clock,
    random,
    log: log.child({ room: "records" }),
  });
  const stop = b2bua.events.on("ended", (record) => records.add(record));
  return {
    get counters() {
      return records.counters;
    },
    async close() {
      stop();
      await records.close();
    },
  };
}
