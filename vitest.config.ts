import { defineConfig } from "vitest/config";

// What measures sound, memory or speed runs one file at a time, or it would measure the neighbours.
const timed = [
  ...["sound", "attacks", "soak", "bench", "loss"].map((name) => `test/interop/${name}.test.ts`),
  "test/browser/sound.test.ts",
];

/**
 * Node itself imports what is tested and strips its types, as it does in production; to have Vite transform it anew for
 * each test file took a third of the real-program tests' CPU time. No test mocks a module, which is what needs Vite.
 */
const experimental = { viteModuleRunner: false, nodeLoader: false };

/** What must come may take its time on a busy machine; a second, as vitest has it, is soon over. */
const patience = { poll: { timeout: 20_000 } };

const setupFiles = ["test/setup/keep-compiled.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          experimental,
          expect: patience,
          include: ["test/**/*.test.ts"],
          exclude: ["test/interop/**", "test/browser/**", "test/pages/**", "test/container/**"],
          // Nothing in the rooms lives outside of what a test makes, so files share their modules.
          isolate: false,
          // None waits for real time; a busy machine may still take its time over one.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "interop",
          experimental,
          expect: patience,
          setupFiles,
          include: ["test/interop/**/*.test.ts"],
          exclude: timed,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "timed",
          experimental,
          expect: patience,
          setupFiles,
          include: timed,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Builds the image and runs it. Without a base image it makes one, which takes a minute or two.
        test: {
          name: "container",
          experimental,
          expect: patience,
          include: ["test/container/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Pages without sound to be measured: what they show may take its time, so they share the machine.
        test: {
          name: "pages",
          experimental,
          setupFiles,
          expect: patience,
          include: ["test/pages/**/*.test.ts"],
          globalSetup: ["test/browser/support/build-page.ts"],
          maxWorkers: 3,
          // Two seconds a file are spared: nothing in the rooms lives outside of what a test makes.
          isolate: false,
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Calls with sound: whether it is there and whose it is, not how good it is. A file that talks takes a
        // third of a core, and so does not disturb two of its kind; those of `pages` would.
        test: {
          name: "browser",
          experimental,
          setupFiles,
          expect: patience,
          include: ["test/browser/**/*.test.ts"],
          exclude: timed,
          globalSetup: ["test/browser/support/build-page.ts"],
          maxWorkers: 2,
          // Two seconds a file are spared: nothing in the rooms lives outside of what a test makes.
          isolate: false,
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
