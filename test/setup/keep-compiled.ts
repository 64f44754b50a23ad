import { flushCompileCache } from "node:module";
import { afterAll } from "vitest";

// vitest ends its workers by SIGTERM, and what NODE_COMPILE_CACHE names is written only where a process ends by itself.
afterAll(() => flushCompileCache());
