/** The most telling line: the first error, else the last line. */
export const lastLine = (stderr: string): string => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  const clean = stderr.split(/[\r\n]+/).map((line) => line.replace(/[\x00-\x1f\x7f]/g, ' ').trim())
  // The operator's `url.insteadOf` may put a password into an address.
  const lines = clean.map((line) => line.replace(/(\w:\/\/)[^/@\s]+@/g, '$1'))
  const telling = lines.find((line) => /^(remote: )?(fatal|error|ERROR):/.test(line))
  return (telling ?? lines.filter((line) => line !== '').at(-1) ?? '').slice(0, 500)
}
