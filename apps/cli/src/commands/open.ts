import { spawn } from 'node:child_process'
import { platform } from 'node:os'
import type { Command } from 'commander'
import { urlOf } from '../connection.ts'
import type { Context } from '../context.ts'
import { moment } from '../render/duration.ts'

export const addOpen = (program: Command, context: Context): void => {
  program
    .command('open')
    .summary('open the page in a browser')
    .description(
      'Makes a link that signs a browser in, once, and opens it. Without a desktop the link is only printed.',
    )
    .option('--print', 'only print the link')
    .action(async (options: { print?: boolean }) => {
      const { path, expiresAt } = await context.client.createLoginLink()
      const link = `${urlOf(context.env)}${path}`
      context.out.line(link)
      context.err.line(context.err.style.dim(`  Works once, until ${moment(expiresAt)}.`))
      if (options.print !== true && hasDesktop(context)) openBrowser(link)
    })
}

const hasDesktop = ({ env, out }: Context): boolean =>
  out.isTty && (platform() === 'darwin' || Boolean(env.DISPLAY) || Boolean(env.WAYLAND_DISPLAY))

/** A link that can't be opened has been printed: nothing more to say. */
const openBrowser = (link: string): void => {
  const command = platform() === 'darwin' ? 'open' : 'xdg-open'
  spawn(command, [link], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref()
}
