import { key, section, types } from "./keys.ts";

export const shutdown = section(
  "How the gateway stops on SIGTERM (docs/operations.md).",
  {
    drainSeconds: key(types.seconds(0, 86_400).default(300), {
      text: "Seconds that running calls have to end by themselves once SIGTERM came; then BYE ends them. What kills the process must wait longer, by 15 s: systemd's TimeoutStopSec, Docker's stop_grace_period, Kubernetes' terminationGracePeriodSeconds. 0: they end at once.",
      expects: "seconds from 0 to 86400",
    }),
  },
  { reload: true },
);
