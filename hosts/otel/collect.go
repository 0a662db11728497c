package otel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rockstar-web/sessions/hosts"
)

// gateway is a *gateway.Gateway: its requests by what became of them, and those under
// way.
type gateway = interface {
	Counts() (map[string]int64, int64)
}

// AddGateway adds the figures of a gateway, in place of those of an earlier one. Nil adds
// none.
func (w *Observer) AddGateway(g interface {
	Counts() (map[string]int64, int64)
}) {
	if g != nil {
		w.gateway.Store(&g)
	}
}

var errTwice = errors.New("this observer has a manager already; make another with otel.New, and give it a MeterProvider with a resource or a view of its own")

// AttachManager has the manager's figures read whenever metrics are collected. hosts.New
// calls it. It refuses a second manager, whose figures would be mixed with the first's.
func (w *Observer) AttachManager(m *hosts.Manager) error {
	if !w.manager.CompareAndSwap(nil, m) {
		return errTwice
	}
	all := make([]metric.Observable, len(figures))
	observe := make([]func(metric.Observer, float64, metric.ObserveOption), len(figures))
	for i, f := range figures {
		var err error
		if all[i], observe[i], err = w.instrument(f); err != nil {
			return err
		}
	}
	_, err := w.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		s := w.snapshot()
		for i, f := range figures {
			f.read(&s, func(value float64, of string) {
				var set []attribute.KeyValue
				if f.attribute != "" {
					set = append(set, attribute.String("sessions."+f.attribute, of))
				}
				observe[i](to, value, metric.WithAttributes(set...))
			})
		}
		return nil
	}, all...)
	return err
}

// snapshot asks the store nothing.
func (w *Observer) snapshot() snapshot {
	s := snapshot{Stats: w.manager.Load().Stats()}
	if g := w.gateway.Load(); g != nil {
		s.outcomes, s.active = (*g).Counts()
	}
	return s
}

// instrument makes that of a figure, and what reports a value to it.
func (w *Observer) instrument(f figure) (metric.Observable, func(metric.Observer, float64, metric.ObserveOption), error) {
	unit, about := metric.WithUnit(f.unit), metric.WithDescription(f.about)
	if f.kind == gauge {
		i, err := w.meter.Float64ObservableGauge(f.name, unit, about)
		return i, func(to metric.Observer, value float64, o metric.ObserveOption) { to.ObserveFloat64(i, value, o) }, err
	}
	var i metric.Int64Observable
	var err error
	if f.kind == counter {
		i, err = w.meter.Int64ObservableCounter(f.name, unit, about)
	} else {
		i, err = w.meter.Int64ObservableUpDownCounter(f.name, unit, about)
	}
	return i, func(to metric.Observer, value float64, o metric.ObserveOption) { to.ObserveInt64(i, int64(value), o) }, err
}
