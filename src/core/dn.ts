/** A DN (directory number) as configuration, accounts, directories and tokens may name one: 64 characters at most. */
export const dnPattern = /^\w[\w.+*#-]{0,63}$/;
