package mission

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var limits = []row{{"E46", usersHaveSoManySessions}}

// usersHaveSoManySessions: 50 browsers log in at once, at two servers.
func usersHaveSoManySessions(t *testing.T, b backend) {
	const most = 5
	for _, at := range []hosts.AtLimit{hosts.EndOldest, hosts.Refuse} {
		one := open(t, b, setup{Config: hosts.Config{MaxPerUser: most, AtLimit: at}})
		other := one.twin()
		var all sync.WaitGroup
		var in atomic.Int64
		browsers := make([]*browser, 50)
		for i := range browsers {
			browsers[i] = []*site{one, other}[i%2].browser()
			all.Go(func() {
				switch a, err := browsers[i].tryCall("/call", browsers[i].site.within(loginAsAnn)); {
				case err != nil:
					t.Error(err)
				case a.StatusCode < http.StatusBadRequest:
					in.Add(1)
				case a.StatusCode != http.StatusForbidden:
					t.Error(a.Status, a.body)
				}
			})
		}
		all.Wait()
		left, _, err := one.manager.Sessions(t.Context(), hosts.Query{User: "ann"}, core.ID{}, 0)
		require.NoError(t, err)
		signedIn := 0
		for i, ann := range browsers {
			if a := ann.to([]*site{other, one}[i%2]).get("/middleware/me"); a.StatusCode == http.StatusOK && a.field("user") == "ann" {
				signedIn++
			}
		}
		require.Len(t, left, signedIn, "all that are left have their cookie")
		if at == hosts.EndOldest {
			require.Len(t, left, most)
			continue
		}
		require.LessOrEqual(t, len(left), most)
		require.EqualValues(t, in.Load(), len(left), "who was let in stays in")
		one.stop()
		other.stop()
	}
}

func loginAsAnn(v *nethttp.Session, w http.ResponseWriter) {
	if err := v.Login("ann", 0); err != nil {
		status, text := nethttp.Failure(err)
		http.Error(w, text, status)
	}
}
