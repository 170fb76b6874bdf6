{{/* The names under which the API is called. */}}
{{- define "berth.allowedHosts" -}}
{{- $name := include "berth.fullname" . }}
{{- $hosts := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) }}
{{- if .Values.ingress.enabled }}{{ $hosts = concat $hosts .Values.ingress.hosts }}{{ end }}
{{- if .Values.httpRoute.enabled }}{{ $hosts = concat $hosts .Values.httpRoute.hostnames }}{{ end }}
{{- concat $hosts .Values.allowedHosts | uniq | join "," }}
{{- end }}

{{/* The backend's environment, without what is secret. */}}
{{- define "berth.environment" -}}
BERTH_RUNTIME: kubernetes
BERTH_KUBERNETES_CONFIG: /etc/berth/kubernetes.yaml
BERTH_SETTINGS: /etc/berth/settings.json
BERTH_DATA_DIR: /var/lib/berth/data
BERTH_HOST: {{ ternary .Values.listenAddress "127.0.0.1" .Values.auth.allowRemoteOwner | quote }}
BERTH_PORT: "7420"
BERTH_ALLOW_REMOTE_OWNER: {{ .Values.auth.allowRemoteOwner | quote }}
BERTH_ALLOWED_HOSTS: {{ include "berth.allowedHosts" . | quote }}
BERTH_OWNER_TOKEN_FILE: /run/secrets/berth/owner-token
BERTH_METRICS_TOKEN_FILE: /run/secrets/berth/metrics-token
BERTH_KEYS_FILE: /run/secrets/berth/keys.json
BERTH_RUNNER_HOST: {{ .Values.listenAddress | quote }}
BERTH_RUNNER_PORT: "7421"
BERTH_RUNNER_URL: {{ include "berth.runnerUrl" . | quote }}
BERTH_DRAIN_SECONDS: {{ .Values.drainSeconds | quote }}
{{- with .Values.gitHosts }}
BERTH_GIT_HOSTS: {{ join "," . | quote }}
{{- end }}
{{- with .Values.privateHosts }}
BERTH_PRIVATE_HOSTS: {{ join "," . | quote }}
{{- end }}
{{- with .Values.sessions.maxLive }}
BERTH_MAX_LIVE_SESSIONS: {{ . | int64 | quote }}
{{- end }}
{{- with .Values.sessions.memoryMiB }}
BERTH_MEMORY_MIB: {{ . | int64 | quote }}
{{- end }}
BERTH_PLATFORM_KEY_PROJECTS: {{ include "berth.wordOrList" .Values.platformKeyProjects | quote }}
{{- with .Values.keys.lost }}
BERTH_LOST_KEYS: {{ join "," . | quote }}
{{- end }}
{{ include "berth.authEnvironment" . | trim }}
BERTH_LOG_LEVEL: {{ .Values.logLevel }}
{{- with .Values.model.baseUrl }}
ANTHROPIC_BASE_URL: {{ . | quote }}
{{- end }}
{{- if eq .Values.blobs.kind "s3" }}
{{- with .Values.blobs.s3 }}
BERTH_S3_BUCKET: {{ .bucket | quote }}
BERTH_S3_REGION: {{ .region | quote }}
{{- with .prefix }}
BERTH_S3_PREFIX: {{ . | quote }}
{{- end }}
{{- with .endpoint }}
BERTH_S3_ENDPOINT: {{ . | quote }}
{{- end }}
{{- if not (kindIs "invalid" .pathStyle) }}
BERTH_S3_PATH_STYLE: {{ .pathStyle | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Variables whose values are in Secrets. */}}
{{- define "berth.secretEnvironment" -}}
{{- if eq .Values.database.kind "postgres" }}
- name: BERTH_DATABASE_URL
  valueFrom:
    secretKeyRef:
      {{- include "berth.secretRef" (dict "root" . "existing" .Values.database.postgres.existingSecret "key" "database-url") | nindent 6 }}
{{- end }}
{{- if or .Values.model.apiKey .Values.model.existingSecret.name }}
- name: ANTHROPIC_API_KEY
  valueFrom:
    secretKeyRef:
      {{- include "berth.secretRef" (dict "root" . "existing" .Values.model.existingSecret "key" "model-key") | nindent 6 }}
{{- end }}
{{- $s3 := .Values.blobs.s3 }}
{{- if and (eq .Values.blobs.kind "s3") (or $s3.accessKeyId $s3.existingSecret.name) }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef:
      {{- include "berth.secretRef" (dict "root" . "existing" $s3.existingSecret "existingKey" $s3.existingSecret.accessKeyIdKey "key" "s3-access-key-id") | nindent 6 }}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      {{- include "berth.secretRef" (dict "root" . "existing" $s3.existingSecret "existingKey" $s3.existingSecret.secretAccessKeyKey "key" "s3-secret-access-key") | nindent 6 }}
{{- end }}
{{- end }}

{{/* What the backend's Kubernetes runtime is told. */}}
{{- define "berth.kubernetesConfig" -}}
{{- $runners := .Values.runners }}
{{- $namespaces := dict "perProject" (dict "prefix" $runners.namespaces.prefix) }}
{{- if eq $runners.namespaces.mode "existing" }}
{{- $namespaces = dict "existing" $runners.namespaces.existing }}
{{- end }}
{{- $images := dict "runner" (include "berth.image" (dict "root" . "image" $runners.images.runner)) }}
{{- range $key := list "agent" "allowed" "pullPolicy" "pullSecrets" }}
{{- with get $runners.images $key }}{{ $_ := set $images $key . }}{{ end }}
{{- end }}
{{- $placement := dict }}
{{- range $key, $value := $runners.placement }}
{{- with $value }}{{ $_ := set $placement $key . }}{{ end }}
{{- end }}
{{- $backend := dict "namespaceLabels" (dict "kubernetes.io/metadata.name" .Release.Namespace) "podLabels" (include "berth.selectorLabels" (dict "root" . "component" "backend") | fromYaml) }}
{{- $network := dict "policy" $runners.network.policy "port" 7421 "backend" $backend }}
{{- with $runners.network.dns }}{{ $_ := set $network "dns" . }}{{ end }}
{{- $config := dict "instance" (include "berth.instance" .) "namespaces" $namespaces "images" $images "network" $network }}
{{- with $placement }}{{ $_ := set $config "placement" . }}{{ end }}
{{- range $key := list "resources" "volumes" "quota" "job" "patience" "api" }}
{{- $_ := set $config $key (get $runners $key) }}
{{- end }}
{{- toYaml $config }}
{{- end }}
