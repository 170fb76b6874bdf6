import { expect, it } from 'vitest'
import { bedrockId, foundationId, plainModelName, vertexId } from './cloud-models.ts'

it.each([
  ['claude-sonnet-4-5', 'eu-central-1', 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'],
  ['claude-sonnet-4-5-20250929', 'us-east-1', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'],
  ['claude-sonnet-4-5[1m]', 'ap-northeast-1', 'jp.anthropic.claude-sonnet-4-5-20250929-v1:0'],
  ['claude-haiku-4-5', 'us-gov-west-1', 'us-gov.anthropic.claude-haiku-4-5-20251001-v1:0'],
  ['claude-sonnet-4-0', 'sa-east-1', 'global.anthropic.claude-sonnet-4-20250514-v1:0'],
  ['claude-3-7-sonnet-latest', 'us-east-1', 'us.anthropic.claude-3-7-sonnet-20250219-v1:0'],
  ['claude-opus-4-6', 'eu-west-1', 'eu.anthropic.claude-opus-4-6-v1'],
  ['claude-sonnet-4-6', 'ap-southeast-2', 'au.anthropic.claude-sonnet-4-6'],
  ['claude-opus-5-5', 'eu-west-1', 'eu.anthropic.claude-opus-5-5'],
  ['us.anthropic.claude-x-v1:0', 'eu-west-1', 'us.anthropic.claude-x-v1:0'],
  ['ours', 'eu-west-1', 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/x'],
])('of Bedrock, %s in %s is %s', (name, region, id) => {
  const models = { ours: 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/x' }
  expect(bedrockId(name, { region, models })).toBe(id)
})

it('of Bedrock may be answered where the project says', () => {
  const at = (profile: 'none' | 'global') =>
    bedrockId('claude-x', { region: 'eu-west-1', profile, models: {} })
  expect([at('none'), at('global')]).toEqual(['anthropic.claude-x', 'global.anthropic.claude-x'])
  expect(foundationId('us-gov.anthropic.claude-x')).toBe('anthropic.claude-x')
})

it.each([
  ['claude-sonnet-4-5', 'claude-sonnet-4-5@20250929'],
  ['claude-opus-4-1-20250805', 'claude-opus-4-1@20250805'],
  ['claude-opus-4-0', 'claude-opus-4@20250514'],
  ['claude-sonnet-4-6', 'claude-sonnet-4-6'],
  ['claude-opus-5-5[1m]', 'claude-opus-5-5'],
  ['claude-3-5-sonnet-v2@20241022', 'claude-3-5-sonnet-v2@20241022'],
  ['ours', 'theirs'],
])('of Vertex AI, %s is %s', (name, id) => {
  expect(vertexId(name, { ours: 'theirs' })).toBe(id)
})

it.each([
  ['eu.anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4-5-20250929-v1:0'],
  ['anthropic.claude-opus-4-6-v1', 'claude-opus-4-6-v1'],
  ['claude-opus-4-1@20250805', 'claude-opus-4-1-20250805'],
  ['arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5-5', 'claude-opus-5-5'],
  ['anthropic/claude-haiku-4-5', 'claude-haiku-4-5'],
  ['claude-x', 'claude-x'],
])('in a price list, %s is %s', (id, name) => {
  expect(plainModelName(id)).toBe(name)
})
