import type { Client } from '@berth/client'
import type { LineInput } from './terminal/line-input.ts'
import type { Output } from './terminal/output.ts'
import type { Person } from './terminal/person.ts'

/** Programs and files that the command line starts or copies; it imports none of them. */
export interface Programs {
  /** The backend's and the runner's main files, run by this Node. */
  backend: string
  runner: string
  /** The directory of the sample repository. */
  sample: string
}

/** The world as the commands see it. Tests put their own. */
export interface Context {
  env: NodeJS.ProcessEnv
  /** How the person at this terminal calls the command: `berth`, or `npx berth` where npm has started it. */
  berth: string
  out: Output
  err: Output
  client: Client
  programs: Programs
  now(): number
  /** Who sits at the terminal and can be asked; missing: nobody. */
  person?: Person | undefined
  /** Opens the line on which a person types prompts. */
  openLine?: (() => LineInput) | undefined
  /** Opens an address in a browser of this desktop; missing: there is none. */
  openPage?: ((url: string) => void) | undefined
  /** Standard input as text, for what is piped in. */
  readInput(): Promise<string>
  /** Standard input as bytes. */
  inputBytes(): AsyncIterable<Uint8Array>
  /** Standard input is a terminal. */
  inputIsTty: boolean
  /** Calls back at Ctrl-C (SIGINT) in place of ending the process, until the returned function is called. */
  onInterrupt(listener: () => void): () => void
}
