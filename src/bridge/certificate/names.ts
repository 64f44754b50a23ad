/** How authorities of bridges are called, in the stores of browsers too. */
export const authorityName = "Jackfield bridge";
