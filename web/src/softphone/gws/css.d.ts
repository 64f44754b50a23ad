/** A style sheet that Vite loads with the script that names it. */
declare module "*.css";
