/** What a check of the place where runners run found, for its operator. */
export interface RuntimeFinding {
  name: string
  /** `warn`: works, but a person should know. */
  state: 'ok' | 'warn' | 'fail'
  detail: string
  /** What to do about it. */
  repair?: string
}

export interface DiagnoseOptions {
  /** Whose runners the checks stand for. */
  project: string
  /** As a runner gets it. */
  backendUrl: string
}

export interface RuntimeDiagnosis {
  /** On a cluster, where the project's runners live. */
  namespace?: string
  findings: RuntimeFinding[]
}
