/** Of browsers: what Node's types lack and code of the pages names. */
declare function reportError(error: unknown): void;
