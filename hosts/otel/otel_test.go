package otel_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/hosts/otel"
)

// key is of no other use.
var key = core.NewSecret("\x91\x0e\xc7opentelemetry test, no secret"[:32])

// A scene is an application whose spans and metrics are kept by the SDK.
type scene struct {
	observer *otel.Observer
	spans    *tracetest.SpanRecorder
	reader   *sdkmetric.ManualReader
	tracer   *sdktrace.TracerProvider
	store    *flaky
	app      http.Handler
	cookie   []*http.Cookie
}

// flaky is a store that may be down.
type flaky struct {
	hosts.Store
	down bool
}

func (f *flaky) Unwrap() hosts.Store { return f.Store }

var errSecret = errors.New("dial tcp: password=hunter2 refused")

func (f *flaky) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if f.down {
		return core.Record{}, errSecret
	}
	return f.Store.Load(ctx, id)
}

func newScene(t *testing.T, sessionID bool) *scene {
	t.Helper()
	s := &scene{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	s.tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(s.spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(s.reader))
	w, err := otel.New(otel.Options{TracerProvider: s.tracer, MeterProvider: meters, SessionID: sessionID})
	require.NoError(t, err)
	s.observer = w
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	s.store = &flaky{Store: memory}
	config := hosts.Config{Key: key, AllowInsecure: true, Observer: w}
	m, err := hosts.New(s.store, config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	_, err = hosts.New(s.store, config)
	require.ErrorContains(t, err, "has a manager already")
	mw, err := nethttp.New(m, nethttp.Options{Tenant: func(*http.Request) string { return "tenant-of-alice" }})
	require.NoError(t, err)
	s.app = mw.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, session *nethttp.Session) error {
		if user := r.FormValue("user"); user != "" {
			return session.Login(user, 0)
		}
		_, err := session.Add("n", 1)
		return err
	})
	return s
}

// ask sends a request within a span of its own, and returns the spans that ended in it.
func (s *scene) ask(path string) (ended []sdktrace.ReadOnlySpan) {
	before := len(s.spans.Ended())
	ctx, span := s.tracer.Tracer("test").Start(context.Background(), "request")
	r := httptest.NewRequestWithContext(ctx, "POST", path, nil)
	for _, c := range s.cookie {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	span.End()
	if set := w.Result().Cookies(); len(set) > 0 {
		s.cookie = set
	}
	return s.spans.Ended()[before:]
}

func names(spans []sdktrace.ReadOnlySpan) (list []string) {
	for _, s := range spans {
		list = append(list, s.Name())
	}
	return list
}

func TestSpansAreWithinTheRequests(t *testing.T) {
	s := newScene(t, false)
	login := s.ask("/?user=alice")
	require.Equal(t, []string{"sessions save", "sessions commit", "request"}, names(login))
	require.Equal(t, login[1].SpanContext().SpanID(), login[0].Parent().SpanID())
	require.Equal(t, login[2].SpanContext().SpanID(), login[1].Parent().SpanID())
	change := s.ask("/")
	require.Equal(t, []string{"sessions load", "sessions save", "sessions commit", "request"}, names(change))
	for _, span := range change[:3] {
		require.Equal(t, codes.Unset, span.Status().Code)
		require.NotContains(t, attributes(span), "session.id")
	}
	s.store.down = true
	lost := s.ask("/")
	require.Equal(t, []string{"sessions load", "request"}, names(lost))
	require.Equal(t, codes.Error, lost[0].Status().Code)
	require.Equal(t, "unavailable", attributes(lost[0])["error.type"])
	for _, span := range s.spans.Ended() {
		for key, value := range attributes(span) {
			require.NotContains(t, key+value+span.Status().Description, "alice")
			require.NotContains(t, value+span.Status().Description, "hunter2")
		}
	}
}

func attributes(s sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func TestTheIDIsAnOption(t *testing.T) {
	s := newScene(t, true)
	s.ask("/?user=alice")
	load := s.ask("/")[0]
	require.Len(t, attributes(load)["session.id"], len(core.ID{}.String()))
}

// collect returns the figures by name and values of attributes, and the keys of these.
func (s *scene) collect(t *testing.T) (values map[string]float64, keys map[string]bool) {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, s.reader.Collect(context.Background(), &all))
	require.Len(t, all.ScopeMetrics, 1)
	require.Equal(t, hosts.Version(), all.ScopeMetrics[0].Scope.Version)
	values, keys = map[string]float64{}, map[string]bool{}
	note := func(name string, set attribute.Set, value float64) {
		for _, a := range set.ToSlice() {
			keys[string(a.Key)] = true
			name += "/" + a.Value.String()
		}
		require.NotContains(t, values, name)
		values[name] = value
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				note(m.Name, p.Attributes, float64(p.Value))
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				note(m.Name, p.Attributes, p.Value)
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				note(m.Name, p.Attributes, float64(p.Count))
			}
		default:
			t.Fatalf("%s is a %T", m.Name, data)
		}
	}
	return values, keys
}

// TestMetrics: what the manager counts, and times by verb and failure; nothing else is
// an attribute, whatever visitors send.
func TestMetrics(t *testing.T) {
	s := newScene(t, true)
	before, _ := s.collect(t)
	s.ask("/?user=alice")
	s.ask("/")
	for _, bad := range []string{"mallory", `"} 1`, strings.Repeat("x", 4000), "\u202e\x00"} {
		s.cookie = []*http.Cookie{{Name: core.DefaultCookieName, Value: bad}}
		s.ask("/" + "?x=" + "y")
	}
	after, keys := s.collect(t)
	require.Equal(t, 1.0, after["sessions.logins"])
	require.Equal(t, 1.0, after["sessions.resumed"])
	require.Equal(t, after["sessions.begun"], after["sessions.memory.session.count"])
	require.Positive(t, after["sessions.memory.usage"])
	require.GreaterOrEqual(t, after["sessions.refused/malformed"], 2.0, "%v", after)
	require.Equal(t, after["sessions.commit.duration/commit"], after["sessions.store.duration/save"])
	for key := range keys {
		require.Contains(t, []string{"error.type", "sessions.reason", "sessions.result", "sessions.verb"}, key)
	}
	require.Less(t, len(after), 80)
	for series := range after {
		if !strings.Contains(series, ".duration/") { // which begin with the first call of a kind
			require.Contains(t, before, series)
		}
	}
}

type gatewayOf map[string]int64

func (g gatewayOf) Counts() (map[string]int64, int64) { return g, 2 }

func TestAGatewayIsCounted(t *testing.T) {
	s := newScene(t, false)
	s.observer.AddGateway(gatewayOf{"signed_in": 3, "denied": 1})
	s.observer.AddGateway(nil) // is none, and no panic when figures are read
	all, keys := s.collect(t)
	require.Equal(t, []float64{3, 1, 2}, []float64{all["sessions.gateway.requests/signed_in"], all["sessions.gateway.requests/denied"], all["sessions.gateway.active_requests"]})
	require.Contains(t, keys, "sessions.outcome")
}
