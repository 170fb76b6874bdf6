/** What is checked before the tests run; a test holds `npm run check` to the same. */
export const checks = [
  { label: 'format and lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { label: 'types', command: ['tsc', '-p', 'tsconfig.json'] },
  { label: 'dead code and dependencies', command: ['knip'] },
]
