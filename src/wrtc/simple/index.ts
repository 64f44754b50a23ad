export type * from "./contract.ts";
export { SimpleVariant, type SimpleVariantOptions } from "./variant.ts";
