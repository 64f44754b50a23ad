#!/usr/bin/env node
// The command `jackfield`. Plain JavaScript for Node 20 and up: on an older Node than 24 it hands over to a Node 24,
// which runs src/main.ts in a checkout (types stripped) and dist/main.js in an installed package.
import { launch } from "./launch.js";

await launch({ from: import.meta.url, args: process.argv.slice(2) });
