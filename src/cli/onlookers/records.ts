import { recordCollector } from "../../admin/index.ts";
import { CallRecords } from "../../records/index.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";

/** Call records to a file and a webhook, as configured. */
export function openRecords({ live, surroundings, b2bua, metrics }: GatewayRooms): Onlooker | undefined {
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
  const stops = [
    b2bua.events.on("ended", (record) => records.add(record)),
    live.events.on("changed", ({ records: { webhook: next } }) => {
      if (next) records.useWebhookKeys({ secret: next.secret, ca: next.ca });
    }),
  ];
  metrics.add(
    recordCollector(() => {
      const { counters } = records;
      return {
        ...(file ? { file: counters.file } : {}),
        ...(webhook ? { webhook: counters.webhook } : {}),
      };
    }),
  );
  return {
    async close() {
      for (const stop of stops) stop();
      await records.close();
    },
  };
}
