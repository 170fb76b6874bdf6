const known = [
  ['claude-opus-5-5', 'Scripted Opus'],
  ['claude-sonnet-4-5', 'Scripted Sonnet'],
  ['claude-haiku-4-5', 'Scripted Haiku'],
] as const

/** The models that `GET /v1/models` lists; any other id with "claude" or "scripted" in it is answered too. */
export const modelList = known.map(([id, displayName]) => ({
  type: 'model',
  id,
  display_name: displayName,
  created_at: '2026-01-01T00:00:00Z',
}))

/** The page of models as the API shapes it. */
export const modelPage = {
  data: modelList,
  has_more: false,
  first_id: known[0][0],
  last_id: known[known.length - 1]?.[0] ?? known[0][0],
}
