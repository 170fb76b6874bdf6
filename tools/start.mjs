// `npm start`: sets up what is missing, then serves Berth, with a demo session on the very first start. Plain
// JavaScript without dependencies, because it runs on any Node >= 20 and before anything is installed.
import { main, setUp } from './bootstrap/setup.mjs'

await main(async () => {
  await setUp()
  process.argv.splice(2, 0, 'serve', '--demo')
  await import('../apps/cli/bin/berth.mjs')
})
