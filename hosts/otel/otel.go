package otel

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/rockstar-web/sessions/hosts"
)

// scope names this package among those that measure and trace.
const scope = "github.com/rockstar-web/sessions/hosts/otel"

// Options say where metrics and spans go. The zero value takes the program's own.
type Options struct {
	TracerProvider trace.TracerProvider // [otel.GetTracerProvider]
	MeterProvider  metric.MeterProvider // [otel.GetMeterProvider]
	// SessionID puts the attribute session.id on spans. An ID opens nothing: the secret
	// is only in the cookie. But it shows which requests are of one visitor.
	SessionID bool
}

// Observer is a hosts.Config.Observer. It is safe for concurrent use.
type Observer struct {
	sessionID bool
	tracer    trace.Tracer
	meter     metric.Meter
	calls     [hosts.Ops]call
	manager   atomic.Pointer[hosts.Manager]
	gateway   atomic.Pointer[gateway]
}

var _ hosts.Observer = (*Observer)(nil)

// call is what does not change of the calls of one kind.
type call struct {
	span     string
	start    []trace.SpanStartOption
	duration metric.Float64Histogram
	measured [hosts.Failures]metric.MeasurementOption
}

// bounds are those of hosts/metrics, in seconds.
var bounds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// New returns an observer. Its error is that of the meter.
func New(o Options) (*Observer, error) {
	tracers, meters := cmp.Or(o.TracerProvider, otel.GetTracerProvider()), cmp.Or(o.MeterProvider, otel.GetMeterProvider())
	w := &Observer{sessionID: o.SessionID, tracer: tracers.Tracer(scope, trace.WithInstrumentationVersion(hosts.Version())), meter: meters.Meter(scope, metric.WithInstrumentationVersion(hosts.Version()))}
	duration := func(name, about string) (metric.Float64Histogram, error) {
		return w.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about), metric.WithExplicitBucketBoundaries(bounds...))
	}
	commit, err := duration("sessions.commit.duration", "Time to store what a request did, tries again and waits in line included.")
	store, err2 := duration("sessions.store.duration", "Time of a call of the store, waits in its queues included.")
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	for op := range hosts.Ops {
		k := &w.calls[op]
		verb := attribute.String("sessions.verb", op.String())
		k.span, k.duration = "sessions "+op.String(), store
		k.start = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(verb)}
		if op == hosts.OpCommit {
			k.duration = commit
			k.start = []trace.SpanStartOption{trace.WithAttributes(verb)}
		}
		for f := range hosts.Failures {
			set := []attribute.KeyValue{verb}
			if f != hosts.FailureNone {
				set = append(set, failed(f))
			}
			k.measured[f] = metric.WithAttributeSet(attribute.NewSet(set...))
		}
	}
	return w, nil
}

func failed(f hosts.Failure) attribute.KeyValue { return attribute.String("error.type", f.String()) }

// Begin implements hosts.Observer.
func (w *Observer) Begin(ctx context.Context, c hosts.Call) context.Context {
	if c.Op >= hosts.Ops {
		return ctx
	}
	k := &w.calls[c.Op]
	ctx, span := w.tracer.Start(ctx, k.span, k.start...)
	if !span.IsRecording() {
		return context.WithValue(ctx, w, span)
	}
	if w.sessionID && !c.ID.IsZero() {
		span.SetAttributes(attribute.String("session.id", c.ID.String()))
	}
	if c.Count > 1 {
		span.SetAttributes(attribute.Int("sessions.count", c.Count))
	}
	return context.WithValue(ctx, w, span)
}

// End implements hosts.Observer.
func (w *Observer) End(ctx context.Context, c hosts.Call, took time.Duration, err error) {
	if c.Op >= hosts.Ops {
		return
	}
	k, f := &w.calls[c.Op], hosts.FailureOf(err)
	k.duration.Record(ctx, took.Seconds(), k.measured[f])
	span, ok := ctx.Value(w).(trace.Span) // the call's own: another observer may have begun one within it
	if !ok {
		return
	}
	if f != hosts.FailureNone {
		span.SetAttributes(failed(f))
	}
	if f.IsFault() {
		span.SetStatus(codes.Error, f.String()) // not the text, which may name an ID or an address
	}
	span.End()
}
