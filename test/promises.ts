/**
 * What Berth promises, by number. A test cites the promises that it keeps in its title, as in `[P1] …`; a promise
 * that no test cites fails `npm test`, and so does an unknown number. Numbers are never used again.
 */
export const promises: Readonly<Record<string, string>> = {
  P1: 'Imports follow the written table: ports never know their adapters, and nothing imports an app.',
  P2: 'The contract and the client run in a browser: they reach no Node built-in.',
  P3: 'A fresh clone needs one command: what is missing is installed, or one line says how.',
}
