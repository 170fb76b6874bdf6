export { createKubernetesRuntime, type KubernetesRuntimeParts } from './kubernetes-runtime.ts'
export { compileOptions, readOptions } from './options/read-options.ts'
export { type CompiledOptions, type KubernetesOptions, kubernetesOptions } from './options/schema.ts'
export { type Permission, permissions, permissionsFor } from './permissions.ts'
