package mission

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var quiet = []row{{"E48", pollsAreNoUse}}

// pollsAreNoUse: a page is left open, and asks each second by one of three ways. Who it is
// of was last there a little less than a sixteenth of the idle timeout after the login, which
// is not noted, so that they are out that much earlier.
func pollsAreNoUse(t *testing.T, b backend) {
	const idle = 160 * time.Second
	counted := newFault(b.open(t, t.TempDir()))
	s := open(t, b, setup{store: counted.store, Config: hosts.Config{IdleTimeout: idle, RenewAfter: 2 * time.Minute}})
	user := s.within(func(v *nethttp.Session, w http.ResponseWriter) { fmt.Fprintf(w, `{"signed_in":%v}`, v.User() == "ann") })
	polls := []http.Handler{s.mw.StatusHandler(), s.mw.Quiet(user), user}
	for way, poll := range polls {
		ann := s.browser()
		ann.login("/middleware", "ann")
		end := s.clock.time().Add(idle)
		s.clock.pass(idle/16 - time.Second)
		last := s.clock.time()
		ann.get("/middleware/me").is(http.StatusOK)
		counted.saves.Store(0)
		for ; s.clock.time().Before(last.Add(2 * idle)); s.clock.pass(time.Second) {
			a := ann.polls(poll, []string{"", "", "1"}[way]).is(http.StatusOK)
			require.Empty(t, a.Header["Set-Cookie"])
			require.Equal(t, s.clock.time().Before(end), a.field("signed_in"), "way %d, %v after the last use", way, s.clock.time().Sub(last))
		}
		require.Zero(t, counted.saves.Load(), "no write")
		require.WithinRange(t, end, last.Add(idle-idle/16), last.Add(idle))
	}
}

// polls is a GET of a script with the field that says it is no use.
func (b *browser) polls(h http.Handler, quiet string) answer {
	number := strconv.FormatInt(b.site.number.Add(1), 10)
	b.site.calls.Store(number, http.HandlerFunc(h.ServeHTTP))
	return b.send(http.MethodGet, "/call", map[string]string{callHeader: number, nethttp.QuietField: quiet})
}
