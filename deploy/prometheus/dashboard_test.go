package prometheus

import (
	"os"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/stretchr/testify/require"
)

// TestGrafanaTakesTheDashboard by its own schema. A test of cmd/sessionctl asks the
// queries.
func TestGrafanaTakesTheDashboard(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	var d dashboard.Dashboard
	if err := d.UnmarshalJSONStrict(text); err != nil { // it is an empty list where all is well
		require.Empty(t, err.Error())
	}
	require.NoError(t, d.Validate())
	require.Greater(t, len(d.Panels), 20)
}
