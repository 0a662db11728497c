package mission

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/metrics"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/hosts/otel"
)

// What operators see.
var operate = []row{{"E50", whatIsCountedAddsUp}, {"E51", requestsAreTraced}}

// figures are what a scrape shows, by series.
func figures(t *testing.T, m *metrics.Metrics) map[string]int {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	all := map[string]int{}
	for line := range strings.Lines(w.Body.String()) {
		at := strings.LastIndex(line, " ")
		n, err := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64)
		if strings.HasPrefix(line, "sessions_") && err == nil {
			all[line[:at]] = int(n)
		}
	}
	return all
}

// whatIsCountedAddsUp while visitors come, change things, log out and are forgotten.
func whatIsCountedAddsUp(t *testing.T, b backend) {
	m := metrics.New()
	s := open(t, b, setup{Config: hosts.Config{Observer: m, NoCleanup: true}})
	before := figures(t, m)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			ann := s.browser()
			login := func(user string) {
				ann.visiting(func(v *nethttp.Session, _ http.ResponseWriter) { require.NoError(t, v.Login(user, 0)) })
			}
			login(`mallory"} 1` + strconv.Itoa(n%2))
			for range 3 {
				ann.visiting(func(v *nethttp.Session, _ http.ResponseWriter) { _, _ = v.Add("n", 1) })
			}
			switch n % 4 {
			case 0:
				ann.post("/middleware/logout")
			case 1:
				login("another")
			}
		})
	}
	all.Wait()
	after := figures(t, m)
	require.Len(t, after, len(before), "visitors make no series")
	ended, refused := 0, 0
	for series, n := range after {
		require.Contains(t, before, series)
		if strings.HasPrefix(series, "sessions_ended_total") {
			ended += n
		}
		if strings.HasPrefix(series, "sessions_refused_total") {
			refused += n
		}
	}
	finder, ok := hosts.As[hosts.Finder](s.manager.Store())
	require.True(t, ok)
	records, err := finder.Find(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1000)
	require.NoError(t, err)
	require.Equal(t, after["sessions_begun_total"]+after["sessions_traces_total"], len(records)+ended+after["sessions_swept_total"])
	require.Equal(t, 10, after["sessions_begun_total"])
	require.Equal(t, 4, ended)
	require.Positive(t, refused)
}

// requestsAreTraced: commits and calls of the store within the request's own span,
// without user and tenant, and the ID only where it is asked for.
func requestsAreTraced(t *testing.T, b backend) {
	for _, ids := range []bool{false, true} {
		spans := tracetest.NewSpanRecorder()
		provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
		w, err := otel.New(otel.Options{TracerProvider: provider, SessionID: ids})
		require.NoError(t, err)
		memory := backends[0]
		s := open(t, memory, setup{store: memory.open(t, t.TempDir()), Config: hosts.Config{Observer: w, NoCleanup: true}})
		ctx, parent := provider.Tracer("test").Start(context.Background(), "request")
		x := s.manager.Attach(&hosts.Request{Context: ctx, Reply: func(string, string) error { return nil }})
		session, err := s.manager.Login(x, "ann", time.Hour)
		require.NoError(t, err)
		parent.End()
		names, text := []string{}, ""
		for _, span := range spans.Ended() {
			names = append(names, span.Name())
			require.Equal(t, parent.SpanContext().TraceID(), span.SpanContext().TraceID())
			for _, a := range span.Attributes() {
				text += string(a.Key) + "=" + a.Value.String() + "\n"
			}
		}
		require.Equal(t, []string{"sessions save", "sessions commit", "request"}, names)
		require.NotContains(t, text, "=ann")
		require.Equal(t, ids, strings.Contains(text, session.ID.String()))
		_, err = s.manager.Load(ctx, session.ID)
		require.NoError(t, err)
		load := spans.Ended()[3]
		require.Equal(t, "sessions load", load.Name())
		require.Len(t, load.Attributes(), map[bool]int{false: 1, true: 2}[ids])
	}
}
