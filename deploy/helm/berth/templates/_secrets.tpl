{{/* Which Secret holds what, as `name` and `key`. Takes root, existing, key, and existingKey if it is not existing.key. */}}
{{- define "berth.secretRef" -}}
{{- if .existing.name -}}
name: {{ .existing.name }}
key: {{ .existingKey | default .existing.key }}
{{- else -}}
name: {{ include "berth.fullname" .root }}
key: {{ .key }}
{{- end -}}
{{- end }}

{{/*
A token: the one that is set, else the one that the chart's Secret has already, else a new one, which is the same
wherever it is asked for. Base64. Takes root, value and key.
*/}}
{{- define "berth.token" -}}
{{- if .value }}
{{- .value | b64enc }}
{{- else }}
{{- include "berth.made" (dict "root" .root "key" .key "new" (printf "brt_%s_%s" (.key | replace "-token" "") (randAlphaNum 43) | b64enc)) }}
{{- end }}
{{- end }}

{{/* What the chart's Secret has under `key` already, else `new`, the same wherever it is asked for. Takes root, key and new. */}}
{{- define "berth.made" -}}
{{- if not (hasKey .root.Values "made") }}
{{- $secret := lookup "v1" "Secret" .root.Release.Namespace (include "berth.fullname" .root) }}
{{- $_ := set .root.Values "made" (deepCopy (get $secret "data" | default dict)) }}
{{- end }}
{{- $made := get .root.Values "made" }}
{{- if not (hasKey $made .key) }}
{{- $_ := set $made .key .new }}
{{- end }}
{{- get $made .key }}
{{- end }}

{{/* The key file that seals secrets: made at the first install. Base64. */}}
{{- define "berth.keyFile" -}}
{{- $new := dict "current" "k1" "keys" (dict "k1" (randBytes 32)) | toJson | b64enc }}
{{- include "berth.made" (dict "root" . "key" "keys.json" "new" $new) }}
{{- end }}

{{/* What the chart's Secret holds, as YAML; nothing when all is in Secrets of the operator's. */}}
{{- define "berth.secretData" -}}
{{- if not .Values.auth.existingSecret.name }}
owner-token: {{ include "berth.token" (dict "root" . "value" .Values.auth.ownerToken "key" "owner-token") }}
{{- end }}
{{- if not .Values.metrics.existingSecret.name }}
metrics-token: {{ include "berth.token" (dict "root" . "value" .Values.metrics.token "key" "metrics-token") }}
{{- end }}
{{- if not .Values.keys.existingSecret.name }}
keys.json: {{ include "berth.keyFile" . }}
{{- end }}
{{- if and (eq .Values.database.kind "postgres") (not .Values.database.postgres.existingSecret.name) }}
database-url: {{ .Values.database.postgres.url | b64enc }}
{{- end }}
{{- if and .Values.model.apiKey (not .Values.model.existingSecret.name) }}
model-key: {{ .Values.model.apiKey | b64enc }}
{{- end }}
{{- with .Values.blobs }}
{{- if and (eq .kind "s3") .s3.accessKeyId (not .s3.existingSecret.name) }}
s3-access-key-id: {{ .s3.accessKeyId | b64enc }}
s3-secret-access-key: {{ .s3.secretAccessKey | b64enc }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Changes with what the chart's Secret holds. More people may read annotations than Secrets: so that nobody can try passwords
against it, a random value that the Secret keeps goes into it.
*/}}
{{- define "berth.secretsChecksum" -}}
{{- with include "berth.secretData" . | trim }}
{{- printf "%s\n%s" . (include "berth.token" (dict "root" $ "value" "" "key" "checksum-salt")) | sha256sum }}
{{- else }}
{{- sha256sum "" }}
{{- end }}
{{- end }}
