{{/* The backend's container, without its name. */}}
{{- define "berth.backendContainer" -}}
image: {{ include "berth.image" (dict "root" . "image" .Values.image) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [node, /opt/berth/backend/main.js]
envFrom:
  - configMapRef:
      name: {{ include "berth.fullname" . }}-environment
env:
  # Nothing of the image is written to.
  - name: HOME
    value: /tmp
  {{- with include "berth.secretEnvironment" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: api
    containerPort: 7420
  - name: runners
    containerPort: 7421
startupProbe:
  {{- include "berth.probe" (dict "root" . "path" "/readyz") | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  {{- include "berth.probe" (dict "root" . "path" "/livez") | nindent 2 }}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
  {{- include "berth.probe" (dict "root" . "path" "/readyz") | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- if gt (int .Values.preStopSeconds) 0 }}
lifecycle:
  # Services learn of the end while it still answers.
  preStop:
    sleep:
      seconds: {{ .Values.preStopSeconds }}
{{- end }}
securityContext:
  {{- include "berth.securityContext" . | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: data
    mountPath: /var/lib/berth
  - name: tmp
    mountPath: /tmp
  - name: kubernetes
    mountPath: /etc/berth
    readOnly: true
  - name: secrets
    mountPath: /run/secrets/berth
    readOnly: true
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Asks the API over the network, or from inside when it listens on the pod's loopback. Takes root and path. */}}
{{- define "berth.probe" -}}
{{- if .root.Values.auth.allowRemoteOwner -}}
httpGet:
  port: api
  path: {{ .path }}
{{- else -}}
exec:
  command:
    - node
    - --eval
    - >-
      fetch('http://127.0.0.1:7420{{ .path }}').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))
{{- end -}}
{{- end }}

{{- define "berth.volumes" -}}
- name: data
  {{- if not (include "berth.usesVolume" .) }}
  emptyDir:
    sizeLimit: {{ .Values.scratch.data }}
  {{- else if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-data" (include "berth.fullname" .)) .Values.persistence.existingClaim }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.persistence.size }}
  {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.scratch.tmp }}
- name: kubernetes
  configMap:
    name: {{ include "berth.fullname" . }}-kubernetes
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          {{- include "berth.projection" (dict "root" . "existing" .Values.auth.existingSecret "path" "owner-token") | nindent 10 }}
      - secret:
          {{- include "berth.projection" (dict "root" . "existing" .Values.metrics.existingSecret "path" "metrics-token") | nindent 10 }}
      - secret:
          {{- include "berth.projection" (dict "root" . "existing" .Values.keys.existingSecret "path" "keys.json") | nindent 10 }}
      {{- if .Values.oidc.existingSecret.name }}
      - secret:
          {{- include "berth.projection" (dict "root" . "existing" .Values.oidc.existingSecret "path" "oidc-client-secret") | nindent 10 }}
      {{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* One key of a Secret as a file. Takes root, existing and path. */}}
{{- define "berth.projection" -}}
{{- $ref := include "berth.secretRef" (dict "root" .root "existing" .existing "key" .path) | fromYaml -}}
name: {{ $ref.name }}
items:
  - key: {{ $ref.key }}
    path: {{ .path }}
{{- end }}
