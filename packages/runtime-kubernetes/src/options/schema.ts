import { imageName } from '@berth/contract'
import { z } from 'zod'
import { dnsLabel, dnsName, labelMap, quantity } from './values.ts'

const seconds = (max: number) => z.number().int().min(1).max(max)

/** Where runners live. */
const namespaces = z
  .union([
    z.strictObject({
      /** Every project gets a namespace of its own, named by its prefix and the project; Berth makes and deletes it. */
      perProject: z.strictObject({
        prefix: z
          .string()
          .regex(/^[a-z]([a-z0-9-]{0,19})?$/, 'expected at most 20 lower-case letters, digits and dashes')
          .default('berth-'),
      }),
    }),
    z.strictObject({
      /** All runners live in this namespace, which is there already and stays; its quota is the operator's. */
      existing: dnsLabel,
    }),
  ])
  .prefault({ perProject: {} })

const images = z.strictObject({
  /** Berth's image for runners. */
  runner: imageName,
  /** Image of the container in which the agent works when a project sets none. Default: the one for runners. */
  agent: imageName.optional(),
  /** Images that projects may set; `*` stands for any text. Empty: none but the default. */
  allowed: z.array(z.string().min(1).max(255)).max(100).default([]),
  /** When nodes ask the registry. Default: Kubernetes' own rule, by the image's tag. */
  pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  /** Names of Secrets with credentials for registries; they have to be in the namespace of the pods. */
  pullSecrets: z.array(dnsName).max(10).default([]),
})

/** CPU and memory of a container: what a node must have free for it, and what it can't exceed. */
const share = (defaults: { cpu: string; memory: string; cpuLimit: string; memoryLimit: string }) =>
  z
    .strictObject({
      cpu: quantity.default(defaults.cpu),
      memory: quantity.default(defaults.memory),
      cpuLimit: quantity.default(defaults.cpuLimit),
      memoryLimit: quantity.default(defaults.memoryLimit),
    })
    .prefault({})

const resources = z
  .strictObject({
    runner: share({ cpu: '50m', memory: '192Mi', cpuLimit: '2', memoryLimit: '768Mi' }),
    /** Its limits are the settings `cpus` and `memoryMiB` of the session. */
    agent: z
      .strictObject({
        cpu: quantity.default('250m'),
        memory: quantity.default('512Mi'),
      })
      .prefault({}),
    /** git and file work. */
    workspace: share({ cpu: '50m', memory: '64Mi', cpuLimit: '2', memoryLimit: '1Gi' }),
  })
  .prefault({})

/** Sizes of what a pod can write on; all of it is gone with the pod. */
const volumes = z
  .strictObject({
    /** Workspace, clones, history and what else the session keeps. A pod that exceeds it is evicted. */
    session: quantity.default('10Gi'),
    home: quantity.default('2Gi'),
    /** Copies of repositories that clones are made from. */
    mirrors: quantity.default('5Gi'),
    /** `/tmp` of each container. */
    tmp: quantity.default('1Gi'),
  })
  .prefault({})

const toleration = z.strictObject({
  key: z.string().max(317).optional(),
  operator: z.enum(['Equal', 'Exists']).optional(),
  value: z.string().max(63).optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.number().int().min(0).optional(),
})

/** Where pods are placed. */
const placement = z
  .strictObject({
    /** E.g. `gvisor` or `kata`. */
    runtimeClassName: dnsName.optional(),
    nodeSelector: labelMap.default({}),
    tolerations: z.array(toleration).max(50).default([]),
    /** As in a pod; passed on as it is. */
    affinity: z.record(z.string(), z.unknown()).optional(),
    priorityClassName: dnsName.optional(),
  })
  .prefault({})

/** Pods by their labels, in all namespaces when none is said; or addresses, for what is not in a pod. */
const place = z.union([
  z.strictObject({ namespaceLabels: labelMap.default({}), podLabels: labelMap.default({}) }),
  z.strictObject({
    cidrs: z
      .array(z.union([z.cidrv4(), z.cidrv6()]))
      .min(1)
      .max(20),
  }),
])

/** What pods may reach. */
const network = z
  .strictObject({
    /** `none`: Berth makes no NetworkPolicy; pods reach what others let them. */
    policy: z.enum(['managed', 'none']).default('managed'),
    /** The backend, by the labels of its pods, or by addresses when it runs elsewhere. */
    backend: place.prefault({ podLabels: { 'app.kubernetes.io/name': 'berth' } }),
    /** The backend's port for runners, as its pods listen on it. */
    port: z.number().int().min(1).max(65_535).default(7421),
    /** Who answers names. */
    dns: place.prefault({
      namespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' },
      podLabels: { 'k8s-app': 'kube-dns' },
    }),
  })
  .prefault({})

/** What a project may use in its own namespace. */
const quota = z
  .strictObject({
    /** As in a ResourceQuota, e.g. `pods: 20` or `limits.memory: 100Gi`. */
    hard: z
      .record(z.string().regex(/^[a-z0-9./-]{1,317}$/), quantity)
      .default({ pods: '100', 'count/jobs.batch': '1000', 'count/secrets': '1000' }),
    /** Limits of containers that say none themselves; those of runners do. */
    containerDefault: z
      .strictObject({ cpu: quantity.default('1'), memory: quantity.default('512Mi') })
      .prefault({}),
  })
  .prefault({})

const job = z
  .strictObject({
    /** How long a Job stays to tell of its end. */
    ttlSeconds: seconds(604_800).default(3600),
    /** How long a runner may live when its session has no deadline: the last resort against forgotten ones. */
    deadlineSeconds: seconds(31_536_000).default(604_800),
    /** Between SIGTERM and SIGKILL when a node ends a pod: time for a last checkpoint. */
    graceSeconds: seconds(3600).default(30),
  })
  .prefault({})

/** How long something may take before a session fails because of it. */
const patience = z
  .strictObject({
    /** No node has room. */
    scheduleSeconds: seconds(86_400).default(300),
    /** An image can't be had. */
    imageSeconds: seconds(3600).default(60),
    /** A container can't be made. */
    createSeconds: seconds(3600).default(30),
  })
  .prefault({})

/** How the API server is asked. */
const api = z
  .strictObject({
    /** Requests a second, in the long run. */
    qps: z.number().min(1).max(10_000).default(100),
    /** Requests that may go out at once after a pause. */
    burst: z.number().int().min(1).max(10_000).default(200),
    /** Requests under way at once. */
    parallel: z.number().int().min(1).max(1000).default(32),
    timeoutMs: z.number().int().min(100).max(120_000).default(15_000),
    /** Attempts after the first, when the server is busy or away. */
    retries: z.number().int().min(0).max(20).default(6),
  })
  .prefault({})

/** Everything that an operator can set of the Kubernetes runtime. */
export const kubernetesOptions = z.strictObject({
  /** Tells several installations in one cluster apart: a label on all that Berth makes. */
  instance: dnsLabel.default('berth'),
  namespaces,
  images,
  resources,
  volumes,
  placement,
  network,
  quota,
  job,
  patience,
  api,
})

/** As an operator writes them: only `images.runner` is needed. */
export type KubernetesOptions = z.input<typeof kubernetesOptions>

/** Checked and complete. */
export type CompiledOptions = z.output<typeof kubernetesOptions>
