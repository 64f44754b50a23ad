/**
 * Runs a bench and leaves its exit code: what `run` resolves with; 2 and the usage for options that cannot be
 * understood (`TypeError`, as parseArgs throws it); 1 for any other error.
 */
export async function runProgram(run: () => Promise<number>, usage: string): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    const known = error instanceof TypeError;
    console.error(known ? `${error.message}\n\n${usage}` : error);
    process.exitCode = known ? 2 : 1;
  }
}
