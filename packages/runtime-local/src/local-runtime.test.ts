import { runtimeConformance } from '@berth/runtime/conformance'
import { makeLocalHarness } from './fixtures/local-harness.ts'

runtimeConformance('local', makeLocalHarness)
