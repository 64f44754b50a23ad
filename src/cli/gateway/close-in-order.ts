/** Closes one thing, or several that have nothing to do with each other. */
export type CloseStep = () => unknown;

/** Closes in this order. One that fails keeps none of those behind it open; rejects at the end with what failed. */
export async function closeInOrder(steps: readonly CloseStep[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("; "));
}

/** Closes all at the same time; as `closeInOrder`. */
export async function closeTogether(steps: readonly CloseStep[]): Promise<void> {
  const closed = await Promise.allSettled(steps.map(async (step) => await step()));
  await closeInOrder(
    closed.flatMap((one) => (one.status === "rejected" ? [() => Promise.reject(one.reason as Error)] : [])),
  );
}
