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
      if (options.print !== true) context.openPage?.(link)
    })
}
