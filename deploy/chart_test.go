package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

const chartDir = "helm/sessions-gateway"

// objects are what the chart makes of some values; those that are off are nil.
type objects struct {
	deployment *apps.Deployment
	service    *core.Service
	ingress    *networking.Ingress
	policy     *networking.NetworkPolicy
	budget     *policy.PodDisruptionBudget
	route      *gatewayapi.HTTPRoute
	notes      string
}

// render does what helm template does. Every field must be one that Kubernetes knows.
func render(t *testing.T, values map[string]any) (*objects, error) {
	t.Helper()
	chart, err := loader.Load(chartDir)
	require.NoError(t, err)
	all, err := util.ToRenderValues(chart, values, common.ReleaseOptions{Name: "shop", Namespace: "default", IsInstall: true}, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return nil, err
	}
	o := &objects{}
	for name, text := range files {
		if name = filepath.Base(name); strings.TrimSpace(text) == "" || name == "_helpers.tpl" {
			continue
		}
		var into any
		switch name {
		case "deployment.yaml":
			into = &o.deployment
		case "service.yaml":
			into = &o.service
		case "ingress.yaml":
			into = &o.ingress
		case "networkpolicy.yaml":
			into = &o.policy
		case "pdb.yaml":
			into = &o.budget
		case "httproute.yaml":
			into = &o.route
		case "NOTES.txt":
			o.notes = text
			continue
		default:
			require.Fail(t, "a template that no test knows", name)
		}
		require.NoError(t, yaml.UnmarshalStrict([]byte(text), into), "%s:\n%s", name, text)
	}
	return o, nil
}

// valuesFiles are those of ci, by their names.
func valuesFiles(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(chartDir, "ci", "*-values.yaml"))
	require.NoError(t, err)
	require.Len(t, files, 4)
	all := map[string]map[string]any{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var values map[string]any
		require.NoError(t, yaml.UnmarshalStrict(text, &values))
		all[strings.TrimSuffix(filepath.Base(file), "-values.yaml")] = values
	}
	return all
}

// TestChartIsLinted by Helm: an icon is all that it may wish for.
func TestChartIsLinted(t *testing.T) {
	for name, values := range valuesFiles(t) {
		for _, m := range lint.RunAll(chartDir, values, "default").Messages {
			require.True(t, m.Severity <= support.InfoSev && strings.Contains(m.Error(), "icon is recommended"), "%s: %v", name, m)
		}
	}
}

// TestChartRenders for each values file, and its parts fit together.
func TestChartRenders(t *testing.T) {
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			o, err := render(t, values)
			require.NoError(t, err)
			require.Equal(t, "shop-sessions-gateway", o.deployment.Name)
			pod := o.deployment.Spec.Template
			selector := map[string]string{"app.kubernetes.io/name": "sessions-gateway", "app.kubernetes.io/instance": "shop"}
			require.Equal(t, selector, o.deployment.Spec.Selector.MatchLabels)
			require.Equal(t, selector, o.service.Spec.Selector)
			for k, v := range selector {
				require.Equal(t, v, pod.Labels[k])
			}
			ports := map[string]int32{}
			for _, p := range pod.Spec.Containers[0].Ports {
				ports[p.Name] = p.ContainerPort
			}
			require.Equal(t, map[string]int32{"visitors": 8080, "admin": 9090}, ports)
			require.Len(t, o.service.Spec.Ports, 1, "health and metrics are not served to visitors")
			require.Equal(t, "visitors", o.service.Spec.Ports[0].TargetPort.StrVal)
			switch name {
			case "smallest":
				require.Nil(t, o.ingress)
				require.Nil(t, o.route)
				require.Nil(t, o.policy)
				require.EqualValues(t, 2, *o.deployment.Spec.Replicas)
				require.Equal(t, "ghcr.io/rockstar-web/sessionctl:"+appVersion(t), pod.Spec.Containers[0].Image)
				require.Contains(t, o.notes, "gateway.idle is not set")
			case "full":
				checkFull(t, o, selector)
			case "check":
				args := strings.Join(pod.Spec.Containers[0].Args, " ")
				require.Contains(t, args, " --check --check-nginx --check-uri=X-Original-Uri ")
				require.NotContains(t, args, "--origin")
				require.Contains(t, o.notes, "answers proxies at shop-sessions-gateway.default.svc:80 ")
				require.Contains(t, o.notes, "only through the proxy")
			case "files-and-https":
				require.Nil(t, o.budget)
				require.Len(t, pod.Spec.Volumes, 2)
				require.Len(t, pod.Spec.Containers[0].VolumeMounts, 2)
				require.Equal(t, "https", *o.service.Spec.Ports[0].AppProtocol)
			}
		})
	}
}

func checkFull(t *testing.T, o *objects, selector map[string]string) {
	t.Helper()
	require.Nil(t, o.deployment.Spec.Replicas)
	require.Equal(t, "ghcr.io/rockstar-web/sessionctl@sha256:"+strings.Repeat("0123456789abcdef", 4), o.deployment.Spec.Template.Spec.Containers[0].Image)
	require.Equal(t, selector, o.budget.Spec.Selector.MatchLabels)
	require.Equal(t, "20%", o.budget.Spec.MaxUnavailable.StrVal)
	require.Equal(t, selector, o.policy.Spec.PodSelector.MatchLabels)
	require.Len(t, o.policy.Spec.Ingress, 2)
	require.Len(t, o.policy.Spec.Egress, 3)
	backend := o.ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service
	require.Equal(t, []string{o.service.Name, "visitors"}, []string{backend.Name, backend.Port.Name})
	require.Equal(t, []string{"shop.example.com"}, o.ingress.Spec.TLS[0].Hosts)
	to := o.route.Spec.Rules[0].BackendRefs[0]
	require.Equal(t, o.service.Name, string(to.Name))
	require.Equal(t, o.service.Spec.Ports[0].Port, *to.Port)
	require.NotContains(t, o.notes, "gateway.idle is not set")
}

func appVersion(t *testing.T) string {
	t.Helper()
	chart, err := loader.Load(chartDir)
	require.NoError(t, err)
	return chart.Metadata.AppVersion
}

// TestChartRefusesValues that cannot work, and names that are not known: a key or
// a password has no place in values.
func TestChartRefusesValues(t *testing.T) {
	gateway := func(k string, v any) map[string]any {
		g := map[string]any{"origin": "http://shop:8080"}
		g[k] = v
		return map[string]any{"gateway": g}
	}
	check := func(more ...string) map[string]any {
		c := map[string]any{"enabled": true}
		for i := 0; i < len(more); i += 2 {
			c[more[i]] = more[i+1]
		}
		return c
	}
	checking := func(k string, v any) map[string]any {
		g := map[string]any{"check": check(), "trustedProxies": []any{"10.0.0.0/8"}}
		g[k] = v
		return map[string]any{"gateway": g}
	}
	with := func(values map[string]any, k string, v any) map[string]any {
		values[k] = v
		return values
	}
	_, err := render(t, map[string]any{"gateway": checking("idle", "30m")["gateway"], "secret": map[string]any{"name": "shop"}})
	require.NoError(t, err, "what the refused ones below have in common is none of the reasons")
	for _, c := range []struct {
		want   string
		values map[string]any
	}{
		{"gateway.origin is required", gateway("origin", "")},
		{"exclude each other", gateway("check", check())},
		{"gateway.trustedProxies is required", checking("trustedProxies", nil)},
		{"nothing for gateway.check.enabled", checking("stripCookie", true)},
		{"nothing for gateway.check.enabled", checking("keepHost", true)},
		{"exclude each other", checking("check", check("uriField", "X-Uri", "uriPrefix", "/check"))},
		{"'/gateway/check/uriField'", checking("check", check("uriField", "X Uri"))},
		{"'/gateway/check/uriPrefix'", checking("check", check("uriPrefix", "/check/"))},
		{"additional properties 'prefix' not allowed", checking("check", check("prefix", "/check"))},
		{"needs gateway.check.enabled", gateway("check", map[string]any{"nginx": true})},
		{"needs gateway.check.enabled", gateway("check", map[string]any{"uriField": "X-Uri"})},
		{"the proxy alone", with(checking("idle", "30m"), "ingress", map[string]any{"enabled": true, "host": "shop.example"})},
		{"the proxy alone", with(checking("idle", "30m"), "httpRoute", map[string]any{"enabled": true, "parentRefs": []any{map[string]any{"name": "public"}}})},
		{"'/gateway/origin'", gateway("origin", "http://alice:secret@shop:8080")},
		{"'/gateway/origin'", gateway("origin", "shop:8080")},
		{"additional properties 'orgin' not allowed", gateway("orgin", "http://shop:8080")},
		{"additional properties 'store' not allowed", gateway("store", "postgres://app:secret@db/app")},
		{"'/gateway/idle'", gateway("idle", "30")},
		{"'/gateway/public/0'", gateway("public", []any{"login"})},
		{"'/gateway/trustedProxies/0'", gateway("trustedProxies", []any{"everybody"})},
		{"secret.name is required", map[string]any{"secret": map[string]any{"name": ""}}},
		{"additional properties 'key' not allowed", map[string]any{"secret": map[string]any{"key": key}}},
		{"additional properties 'sessionKey' not allowed", map[string]any{"sessionKey": key}},
		{"'/replicas'", map[string]any{"replicas": 0}},
		{"ingress.host is required", map[string]any{"ingress": map[string]any{"enabled": true}}},
		{"httpRoute.parentRefs is required", map[string]any{"httpRoute": map[string]any{"enabled": true}}},
		{"networkPolicy.egress is required", map[string]any{"networkPolicy": map[string]any{"enabled": true}}},
	} {
		values := map[string]any{"gateway": map[string]any{"origin": "http://shop:8080"}, "secret": map[string]any{"name": "shop"}}
		maps.Copy(values, c.values)
		_, err := render(t, values)
		require.ErrorContains(t, err, c.want, "%v", c.values)
	}
}

// TestDocumentsShowValuesThatWork: the pieces of YAML in docs/deploy.md.
func TestDocumentsShowValuesThatWork(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, "docs", "deploy.md"))
	require.NoError(t, err)
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	require.Len(t, blocks, 2, "values, and the application's policy")
	for i := range blocks {
		blocks[i], _, _ = strings.Cut(blocks[i], "```")
	}
	var values map[string]any
	require.NoError(t, yaml.UnmarshalStrict([]byte(blocks[0]), &values))
	o, err := render(t, values)
	require.NoError(t, err)
	require.Contains(t, o.deployment.Spec.Template.Spec.Containers[0].Args, "--trusted-proxy=10.0.0.0/8")
	var behind networking.NetworkPolicy
	require.NoError(t, yaml.UnmarshalStrict([]byte(blocks[1]), &behind))
	from := behind.Spec.Ingress[0].From[0].PodSelector.MatchLabels
	require.Equal(t, map[string]string{"app.kubernetes.io/name": o.service.Spec.Selector["app.kubernetes.io/name"]}, from)
}
