package sessionstest_test

import (
	"runtime"
	"testing"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/sessionstest"
	"github.com/stretchr/testify/require"
)

// failing is a test that notes why it ends.
type failing struct {
	testing.TB
	why string
}

func (f *failing) Helper() {}
func (f *failing) Fatal(args ...any) {
	f.why, _ = args[0].(string)
	runtime.Goexit()
}

func TestPrepareNeedsUse(t *testing.T) {
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		sessionstest.Prepare(f, &hosts.Config{}).As("alice")
	}()
	<-done
	require.Contains(t, f.why, "call app.Use with the middleware of your application")
}
