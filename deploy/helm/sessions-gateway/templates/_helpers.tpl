{{- define "gateway.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "gateway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gateway.labels" -}}
{{ include "gateway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "gateway.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The command line. Each flag is one argument, so that no value is read as another flag. */}}
{{- define "gateway.args" -}}
{{- $g := .Values.gateway -}}
{{- $args := list "gateway" "--addr=:8080" "--admin=:9090" (printf "--origin=%s" (required "gateway.origin is required, such as http://shop.default.svc:8080" $g.origin)) -}}
{{- range $flag, $value := dict "login" $g.login "cookie" $g.cookie "idle" $g.idle "renew-grace" $g.renewGrace "timeout" $g.timeout "body-timeout" $g.bodyTimeout -}}
{{- if $value }}{{- $args = append $args (printf "--%s=%s" $flag $value) -}}{{- end -}}
{{- end -}}
{{- range $flag, $values := dict "public" $g.public "signed-in" $g.signedIn "deny" $g.deny "trusted-proxy" $g.trustedProxies -}}
{{- range $values }}{{- $args = append $args (printf "--%s=%s" $flag .) -}}{{- end -}}
{{- end -}}
{{- if $g.stripCookie }}{{- $args = append $args "--strip-cookie" -}}{{- end -}}
{{- if $g.keepHost }}{{- $args = append $args "--keep-host" -}}{{- end -}}
{{- if $g.tlsSecret }}{{- $args = concat $args (list "--cert=/tls/tls.crt" "--key=/tls/tls.key") -}}{{- end -}}
{{- toYaml $args -}}
{{- end -}}
