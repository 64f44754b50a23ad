/** Of the pages of WWE in benches. */
export const benchOrigin = "https://wwe.example.com";
