/** Images under test: they are on the nodes already, or can be pulled. */
export const images = {
  backend: process.env.BERTH_TEST_BACKEND_IMAGE ?? 'berth-backend:test',
  runner: process.env.BERTH_TEST_RUNNER_IMAGE ?? 'berth-runner:test',
  /** What a team might bring: anything with glibc. */
  team: process.env.BERTH_TEST_TEAM_IMAGE ?? 'docker.io/library/node:24-bookworm-slim',
  postgres: process.env.BERTH_TEST_POSTGRES_IMAGE ?? 'berth-postgres:test',
}

/** An image's name as the chart takes it. */
export const chartImage = (name: string): { repository: string; tag: string } => {
  const [, repository = name, tag = 'latest'] = /^(.+?)(?::([^:/]+))?$/.exec(name) ?? []
  return { repository, tag }
}
