{{/* Refuses values that the schema can't, or tells in words what it can only refuse. */}}
{{- define "berth.validate" -}}
{{- $several := include "berth.isSeveral" . }}
{{- if and $several (eq .Values.database.kind "sqlite") }}
{{- fail "database.kind=sqlite is for one backend: its file can't be shared. Set database.kind=postgres, or replicas=1 and autoscaling.enabled=false." }}
{{- end }}
{{- if and $several (eq .Values.blobs.kind "directory") }}
{{- fail "blobs.kind=directory is for one backend: its volume can't be shared. Set blobs.kind=s3, or replicas=1 and autoscaling.enabled=false." }}
{{- end }}
{{- $postgres := .Values.database.postgres }}
{{- if and (eq .Values.database.kind "postgres") (not $postgres.url) (not $postgres.existingSecret.name) }}
{{- fail "database.kind=postgres needs the server's URL: set database.postgres.existingSecret.name (a Secret with the key url), or database.postgres.url." }}
{{- end }}
{{- if and $postgres.url (not (regexMatch "^postgres(ql)?://[^[:space:]]+$" $postgres.url)) }}
{{- fail "database.postgres.url has to look like postgres://user:password@host:5432/database." }}
{{- end }}
{{- $s3 := .Values.blobs.s3 }}
{{- if and (eq .Values.blobs.kind "s3") (not $s3.bucket) }}
{{- fail "blobs.kind=s3 needs blobs.s3.bucket." }}
{{- end }}
{{- if ne (empty $s3.accessKeyId) (empty $s3.secretAccessKey) }}
{{- fail "blobs.s3.accessKeyId and blobs.s3.secretAccessKey go together: set both or neither." }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- fail "autoscaling.minReplicas is larger than autoscaling.maxReplicas." }}
{{- end }}
{{- $namespaces := .Values.runners.namespaces }}
{{- if and (eq $namespaces.mode "existing") (not $namespaces.existing) }}
{{- fail "runners.namespaces.mode=existing needs runners.namespaces.existing: the namespace in which sessions run." }}
{{- end }}
{{- range $token := list .Values.auth.ownerToken .Values.metrics.token }}
{{- if regexMatch "[^!-~]" $token }}
{{- fail "auth.ownerToken and metrics.token are made of visible ASCII characters without spaces. For a new one: openssl rand -hex 32" }}
{{- end }}
{{- end }}
{{- include "berth.validateRemote" . }}
{{- include "berth.validateAuth" . }}
{{- if le (int .Values.terminationGracePeriodSeconds) (add (int .Values.preStopSeconds) (int .Values.drainSeconds) 7 | int) }}
{{- fail "terminationGracePeriodSeconds has to be more than preStopSeconds, drainSeconds and 7 together: a killed backend finishes nothing." }}
{{- end }}
{{- end }}

{{/* What would lead nowhere while the API listens on the pod's loopback only. */}}
{{- define "berth.validateRemote" -}}
{{- if not .Values.auth.allowRemoteOwner }}
{{- $ways := list }}
{{- if .Values.ingress.enabled }}{{ $ways = append $ways "ingress.enabled" }}{{ end }}
{{- if .Values.httpRoute.enabled }}{{ $ways = append $ways "httpRoute.enabled" }}{{ end }}
{{- if .Values.metrics.serviceMonitor.enabled }}{{ $ways = append $ways "metrics.serviceMonitor.enabled" }}{{ end }}
{{- if ne .Values.service.type "ClusterIP" }}{{ $ways = append $ways (printf "service.type=%s" .Values.service.type) }}{{ end }}
{{- if $ways }}
{{- fail (printf "%s would open the API, where one owner token is all that protects it. Set auth.allowRemoteOwner=true if that is what you want, and put TLS in front." (join ", " $ways)) }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.enabled needs ingress.hosts: Berth answers to names that it knows only." }}
{{- end }}
{{- if and .Values.httpRoute.enabled (or (not .Values.httpRoute.hostnames) (not .Values.httpRoute.parentRefs)) }}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs and httpRoute.hostnames." }}
{{- end }}
{{- end }}
