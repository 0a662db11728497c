package natsstore_test

import (
	"flag"
	"os"
	"testing"

	"github.com/rockstar-web/sessions/internal/soak"
)

// TestMain has the suite leave out what takes long, outside make soak: each call of this
// store asks a server, and a cluster of three under the race detector is slow.
func TestMain(m *testing.M) {
	flag.Parse()
	if !soak.On() {
		if err := flag.Set("test.short", "true"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
