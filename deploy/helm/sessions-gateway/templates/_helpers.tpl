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

{{/* Refuses what forward authentication cannot be. */}}
{{- define "gateway.checkable" -}}
{{- $g := .Values.gateway -}}
{{- if $g.origin }}{{ fail "gateway.origin and gateway.check.enabled exclude each other: the proxy that asks forwards the requests" }}{{ end -}}
{{- if not $g.trustedProxies }}{{ fail "gateway.trustedProxies is required with gateway.check.enabled: the addresses of the proxy that asks" }}{{ end -}}
{{- if or $g.stripCookie $g.keepHost }}{{ fail "gateway.stripCookie and gateway.keepHost are nothing for gateway.check.enabled: it forwards nothing" }}{{ end -}}
{{- if and $g.check.uriField $g.check.uriPrefix }}{{ fail "gateway.check.uriField and gateway.check.uriPrefix exclude each other" }}{{ end -}}
{{- if or .Values.ingress.enabled .Values.httpRoute.enabled }}{{ fail "ingress and httpRoute are nothing for gateway.check.enabled: the proxy alone may reach it" }}{{ end -}}
{{- end -}}

{{/* The command line. Each flag is one argument, so that no value is read as another flag. */}}
{{- define "gateway.args" -}}
{{- $g := .Values.gateway -}}
{{- $args := list "gateway" "--addr=:8080" "--admin=:9090" -}}
{{- if $g.check.enabled -}}
{{- include "gateway.checkable" . -}}
{{- $args = append $args "--check" -}}
{{- if $g.check.nginx }}{{- $args = append $args "--check-nginx" -}}{{- end -}}
{{- else -}}
{{- if or $g.check.nginx $g.check.uriField $g.check.uriPrefix }}{{ fail "gateway.check needs gateway.check.enabled" }}{{ end -}}
{{- $args = append $args (printf "--origin=%s" (required "gateway.origin is required, such as http://shop.default.svc:8080; or gateway.check.enabled" $g.origin)) -}}
{{- end -}}
{{- range $flag, $value := dict "check-uri" $g.check.uriField "check-prefix" $g.check.uriPrefix "login" $g.login "name" $g.cookie "idle" $g.idle "renew-grace" $g.renewGrace "timeout" $g.timeout "body-timeout" $g.bodyTimeout -}}
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
