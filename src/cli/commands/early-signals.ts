const held = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
/** Exit code of an end that something was cut by. */
const cutShort = 130;

/**
 * Holds signals from now on, while the gateway is not up: SIGHUP would end the process, and as a container's first process
 * it would never see SIGTERM. A second SIGTERM or SIGINT ends it at once. Returns what hands those that came on to whoever
 * listens by then, once.
 */
export function holdSignals(): () => void {
  const came = new Set<NodeJS.Signals>();
  const hold = (signal: NodeJS.Signals): void => {
    if (signal !== "SIGHUP" && (came.has("SIGTERM") || came.has("SIGINT"))) process.exit(cutShort);
    came.add(signal);
  };
  for (const signal of held) process.on(signal, hold);
  return () => {
    for (const signal of held) process.off(signal, hold);
    for (const signal of came) process.emit(signal, signal);
    came.clear();
  };
}
