export * from "./message/index.ts";
export * from "./transport/index.ts";
export * from "./transaction/index.ts";
export * from "./dialog/index.ts";
export * from "./session/index.ts";
export * from "./digest/index.ts";
