package hosts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Manager carries out what the core decides, over one store. It is safe for
// concurrent use, and several managers, in several processes, may share a
// store. Close it at the end.
type Manager struct {
	machine        Engine
	store          Store // observed, where there is an observer
	given          Store
	observer       Observer
	counts         counters
	clock          Clock
	entropy        entropy
	commitTimeout  time.Duration
	owned          io.Closer
	events         *events
	queues         queues
	insecureWarned atomic.Bool
	proxyWarned    atomic.Bool
	keyWarned      atomic.Bool // of the first cookie under another key
	outage         outage
	cache          Recaller // nil: every read asks the store
	changedName    string   // with which core.Policy.ChangedCookie begins
	watches        watches
	maxPerUser     int // zero: no limit
	atLimit        AtLimit
	deviceOf       func(userAgent string) string // nil: nobody wants to know
	credentials    credentials

	stop     context.CancelFunc
	stopped  context.Context
	sweeping sync.WaitGroup
}

// New returns a Manager for a store. It refuses a bad config and, unless
// NoCleanup is set, starts sweeping stores that do not forget by themselves.
func New(store Store, config Config) (*Manager, error) {
	if store == nil {
		return nil, fmt.Errorf("session config: %w", &ConfigError{Field: "store", Value: "nil", Allowed: "a Store, such as fsstore.Open returns"})
	}
	machine, err := config.engine()
	if err != nil {
		return nil, err
	}
	if err := config.fill(); err != nil {
		return nil, err
	}
	if err := errors.Join(config.checkLimit(store), config.checkDevices(store)); err != nil {
		return nil, err
	}
	cache, _ := As[Recaller](store)
	if config.Cache != 0 && cache == nil {
		return nil, fmt.Errorf("session config: %w", &ConfigError{Field: "Cache", Value: fmt.Sprint(config.Cache), Allowed: "0 in hosts.New: put a cachestore.NewCached before the store; or use sessions.New"})
	}
	m := &Manager{machine: machine, store: store, given: store, observer: config.Observer, owned: config.Owned, clock: config.Clock, commitTimeout: config.CommitTimeout,
		maxPerUser: config.MaxPerUser, atLimit: config.AtLimit, deviceOf: config.DeviceOf}
	if m.observer != nil {
		m.store = Observed(store, m.observer)
	}
	m.entropy = newEntropy(config.Entropy)
	m.cache = cache
	m.credentials.ask, m.credentials.ttl = config.Credentials, core.Milliseconds(config.CredentialsCache)
	m.changedName = machine.Policy().CookieName + core.ChangedSuffix + "="
	m.stopped, m.stop = context.WithCancel(context.Background())
	m.events = newEvents(config.Logger, config.OnEvent)
	for _, w := range machine.Warnings() {
		m.events.warn(w)
	}
	m.watches.m = m
	if follower, ok := m.cache.(polled); ok {
		m.watches.poller = follower.Poller()
		m.watches.poller.Notify(m.feedStatus)
	}
	if err := attach(m.observer, m); err != nil {
		return nil, errors.Join(fmt.Errorf("session config: Observer: %w", err), m.Close())
	}
	if sweeper, ok := As[Sweeper](m.store); ok && !config.NoCleanup {
		m.sweeping.Add(1)
		go m.sweepEvery(sweeper, config.CleanupInterval)
	}
	return m, nil
}

// Close stops the cleanup and hands out the events that wait: OnEvent must not
// call it. Requests that are still running go on without events, and fail on an
// engine that is an io.Closer, which is closed, too, as is Config.Owned. The store is
// the caller's to close. A second Close does nothing.
func (m *Manager) Close() error {
	m.stop()
	m.sweeping.Wait()
	m.watches.close()
	m.endOutage()
	m.events.close()
	var err error
	for _, c := range []any{m.owned, m.machine} {
		if c, ok := c.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
	}
	return err
}

// Store returns the store that the manager was made with.
func (m *Manager) Store() Store { return m.given }

// Policy returns what is in force, defaults filled in. Its map and slices are
// not to be changed.
func (m *Manager) Policy() core.Policy { return m.machine.Policy() }

func (m *Manager) now() core.Time { return m.clock.Now() }

// seed draws the randomness of one commit. Without it nothing is issued.
func (m *Manager) seed(ctx context.Context) (core.Seed, error) {
	if m.entropy.source == nil {
		return systemSeed(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.commitTimeout)
	defer cancel()
	s, err := m.entropy.draw(ctx)
	if err != nil {
		return core.Seed{}, m.unavailable("no session is issued: entropy", core.ID{}, err)
	}
	return s, nil
}

// load asks the store. Its errors are core.ErrNotFound, a core refusal for a
// record that is corrupt, or wrap ErrUnavailable or ErrBusy.
func (m *Manager) load(ctx context.Context, id core.ID) (core.Record, error) {
	r, err := m.store.Load(ctx, id)
	switch {
	case err == nil && r.ID != id:
		return core.Record{}, fmt.Errorf("session %v: the store answered with another: %w", id, core.ErrCorrupt)
	case err == nil || errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrCorrupt):
		return r, err
	}
	return core.Record{}, m.unavailable("load session", id, err)
}
