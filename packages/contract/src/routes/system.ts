import { z } from 'zod'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

/** What runs here, and with what behind it. */
export const system = z.object({
  version: z.string(),
  runtime: z.string(),
  model: z.object({
    /** `scripted`: no key is set, answers are written scenarios. */
    source: z.enum(['live', 'scripted']),
    /** The upstream's host, when there is one. */
    upstream: z.string().optional(),
  }),
})

export type System = z.infer<typeof system>

/** What a check of the installation found. */
export const finding = z.object({
  name: z.string().max(100),
  /** `warn`: works, but a person should know. */
  state: z.enum(['ok', 'warn', 'fail']),
  detail: z.string().max(4000),
  /** What to do about it. */
  repair: z.string().max(4000).optional(),
})

export type Finding = z.infer<typeof finding>

/** How the installation is, seen from the backend. */
export const diagnosis = z.object({
  runtime: z.string(),
  /** Where sessions of the project run, on a cluster. */
  namespace: z.string().optional(),
  findings: z.array(finding).max(100),
})

export type Diagnosis = z.infer<typeof diagnosis>

const text = { status: 200, kind: 'text' } as const

export const systemRoutes = {
  livez: route({
    method: 'GET',
    path: '/livez',
    role: 'public',
    tag: 'System',
    summary: 'Is the process alive?',
    response: text,
  }),
  readyz: route({
    method: 'GET',
    path: '/readyz',
    role: 'public',
    tag: 'System',
    summary: 'Can it serve? 503 while it starts, drains, or its store does not answer',
    response: text,
  }),
  metrics: route({
    method: 'GET',
    path: '/metrics',
    role: 'metrics',
    tag: 'System',
    summary: 'Metrics in the format of Prometheus',
    response: text,
  }),
  openapi: route({
    method: 'GET',
    path: '/openapi.json',
    role: 'public',
    tag: 'System',
    summary: 'This document',
    response: { status: 200, body: z.record(z.string(), z.unknown()) },
  }),
  getSystem: route({
    method: 'GET',
    path: '/api/system',
    role: 'principal',
    tag: 'System',
    summary: 'Version, runtime and model source',
    response: { status: 200, body: system },
  }),
  diagnose: route({
    method: 'POST',
    path: '/api/system/diagnosis',
    role: 'platform-admin',
    expensive: true,
    tag: 'System',
    summary:
      'Check store, blobs and runtime: makes a probe where sessions of a project run, and may take two minutes',
    body: z.object({ project: projectName.default('default') }),
    response: { status: 200, body: diagnosis },
    errors: ['project_not_found'],
    idempotent: false,
  }),
} as const
