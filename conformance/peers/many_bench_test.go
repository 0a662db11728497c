package peers

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// BenchmarkRatioOneOfMany reads one value of sessions with 1, 100 and 1000
// values, each request with its recorder. Who reads one pays little for the rest.
func BenchmarkRatioOneOfMany(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds = 201
	mw, _ := site(b)
	read := mw.Handler(ours(b, func(v *nethttp.Session) {
		if _, err := v.Get("value-000"); err != nil {
			b.Error(err)
		}
	}))
	sizes := []struct{ values, calls int }{{1, 100}, {100, 60}, {1000, 20}} // about as long: what interrupts one interrupts all
	var runs []func()
	for _, c := range sizes {
		begin := mw.Handler(ours(b, func(v *nethttp.Session) {
			for i := range c.values {
				require.NoError(b, v.Put(fmt.Sprintf("value-%03d", i), fmt.Sprintf("something of %d", i)))
			}
		}))
		cookie := cookieFrom(serve(begin, "", 1))
		require.Equal(b, http.StatusOK, serve(read, cookie, 1).Code)
		runs = append(runs, func() { serve(read, cookie, c.calls) })
	}
	t := ratio.Interleave(rounds, runs...)
	of := func(i int) float64 { return float64(t[i]) / float64(sizes[i].calls) }
	b.Logf("ns a request: %.0f with 1 value, %.0f with 100, %.0f with 1000", of(0), of(1), of(2))
	ratio.Print("request-read-one-of-100", of(1)/of(0), 1.5, false)
	ratio.Print("request-read-one-of-1000", of(2)/of(0), 6, false)
}
