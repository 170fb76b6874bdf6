{{/* A word that stands for itself, or a list. */}}
{{- define "berth.wordOrList" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ join "," . }}{{ end }}
{{- end }}

{{/* Who may ask, as the backend's environment says it. */}}
{{- define "berth.authEnvironment" -}}
BERTH_PROJECT_CREATORS: {{ include "berth.wordOrList" .Values.projectCreators | quote }}
{{- with .Values.admins }}
BERTH_ADMINS: {{ join "," . | quote }}
{{- end }}
{{- with .Values.publicUrl }}
BERTH_PUBLIC_URL: {{ . | quote }}
{{- end }}
{{- with .Values.trustedProxies }}
BERTH_TRUSTED_PROXIES: {{ join "," . | quote }}
{{- end }}
{{- $limits := list }}
{{- range $class := list "read" "write" "expensive" }}
{{- $count := get $.Values.rateLimits $class }}
{{- if not (kindIs "invalid" $count) }}{{ $limits = append $limits (printf "%s=%d" $class ($count | int64)) }}{{ end }}
{{- end }}
{{- with $limits }}
BERTH_RATE_LIMITS: {{ join "," . | quote }}
{{- end }}
{{- if .Values.tokenReview.enabled }}
BERTH_TOKEN_REVIEW: {{ .Values.tokenReview.audience | quote }}
{{- end }}
{{- with .Values.oidc }}
{{- if .issuer }}
BERTH_OIDC_ISSUER: {{ .issuer | quote }}
BERTH_OIDC_CLIENT_ID: {{ .clientId | quote }}
BERTH_OIDC_USER_CLAIM: {{ .claims.user | quote }}
BERTH_OIDC_NAME_CLAIM: {{ .claims.name | quote }}
BERTH_OIDC_GROUPS_CLAIM: {{ .claims.groups | quote }}
{{- if .existingSecret.name }}
BERTH_OIDC_CLIENT_SECRET_FILE: /run/secrets/berth/oidc-client-secret
{{- end }}
{{- with .cliClientId }}
BERTH_OIDC_CLI_CLIENT_ID: {{ . | quote }}
{{- end }}
{{- with .scopes }}
BERTH_OIDC_SCOPES: {{ join " " . | quote }}
{{- end }}
{{- with .audiences }}
BERTH_OIDC_AUDIENCES: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Refuses what can't be signed in with. */}}
{{- define "berth.validateAuth" -}}
{{- $oidc := .Values.oidc }}
{{- if and $oidc.issuer (not $oidc.clientId) }}
{{- fail "oidc.issuer needs oidc.clientId: the client that you have registered there for Berth." }}
{{- end }}
{{- if and $oidc.issuer (not .Values.publicUrl) }}
{{- fail "oidc.issuer needs publicUrl: where the issuer sends people back to, such as https://berth.example.com." }}
{{- end }}
{{- if and (not $oidc.issuer) (or $oidc.clientId $oidc.cliClientId $oidc.existingSecret.name $oidc.scopes $oidc.audiences) }}
{{- fail "oidc.* needs oidc.issuer: nobody else knows that client." }}
{{- end }}
{{- end }}
