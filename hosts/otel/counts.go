package otel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// A count is one of a manager's figures.
type count struct {
	name, unit, about string
	of                func(*hosts.Stats) uint64
}

var counts = []count{
	{"sessions.begun", "{session}", "Sessions that were stored for the first time.", func(s *hosts.Stats) uint64 { return s.Begun }},
	{"sessions.traces", "{record}", "Short records in the place of sessions that another user's login or changed credentials have ended.", func(s *hosts.Stats) uint64 { return s.Traces }},
	{"sessions.logins", "{login}", "Logins that were stored.", func(s *hosts.Stats) uint64 { return s.Logins }},
	{"sessions.resumed", "{request}", "Sessions that requests have found by their cookie.", func(s *hosts.Stats) uint64 { return s.Resumed }},
	{"sessions.conflicts", "{commit}", "Commits that were refused, since others had changed what they had read.", func(s *hosts.Stats) uint64 { return s.Conflicts }},
	{"sessions.retries", "{save}", "Saves that were made anew, since others were first.", func(s *hosts.Stats) uint64 { return s.Retries }},
	{"sessions.store.failures", "{call}", "Calls of the store that failed.", func(s *hosts.Stats) uint64 { return s.Failures }},
	{"sessions.store.unknown", "{call}", "Saves and deletes of which it is not known whether they were applied.", func(s *hosts.Stats) uint64 { return s.Unknown }},
	{"sessions.swept", "{record}", "Records that were removed after their time.", func(s *hosts.Stats) uint64 { return s.Swept }},
	{"sessions.events.lost", "{event}", "Events that were lost, since OnEvent or the logger was slow.", func(s *hosts.Stats) uint64 { return s.EventsLost }},
}

var errTwice = errors.New("this observer has a manager already; make another with otel.New, and give it a MeterProvider with a resource or a view of its own")

// AttachManager has the manager's figures read whenever metrics are collected. hosts.New
// calls it. It refuses a second manager, whose figures would be mixed with the first's.
func (w *Observer) AttachManager(m *hosts.Manager) error {
	if !w.manager.CompareAndSwap(nil, m) {
		return errTwice
	}
	var all []metric.Observable
	var instruments []metric.Int64ObservableCounter
	counter := func(name, unit, about string) (metric.Int64ObservableCounter, error) {
		c, err := w.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(about))
		all = append(all, c)
		return c, err
	}
	for _, c := range counts {
		i, err := counter(c.name, c.unit, c.about)
		if err != nil {
			return err
		}
		instruments = append(instruments, i)
	}
	ended, err := counter("sessions.ended", "{session}", "Sessions that were deleted, by why.")
	if err != nil {
		return err
	}
	refused, err := counter("sessions.refused", "{cookie}", "Cookies that opened nothing, by why; none counts requests without one.")
	if err != nil {
		return err
	}
	_, err = w.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		s := m.Stats()
		for i, c := range counts {
			to.ObserveInt64(instruments[i], int64(c.of(&s)))
		}
		byReason(to, ended, s.Ended)
		byReason(to, refused, s.Refused)
		return nil
	}, all...)
	return err
}

func byReason(to metric.Observer, c metric.Int64ObservableCounter, by map[core.Reason]uint64) {
	for reason, n := range by {
		to.ObserveInt64(c, int64(n), metric.WithAttributes(attribute.String("sessions.reason", reason.String())))
	}
}
