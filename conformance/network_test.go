package conformance

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// network is the way to a server. A call waits for a connection; what was sent
// then arrives, whoever has left meanwhile, and is carried out.
type network struct {
	latency time.Duration // of all of it: half for the connection

	mu      sync.Mutex
	changed chan struct{} // closed when what follows changes
	stalled bool
	down    bool
	lose    int // answers that are to be lost
}

func newNetwork(latency time.Duration) *network {
	return &network{latency: latency, changed: make(chan struct{})}
}

func (n *network) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *network) Stall()           { n.set(func() { n.stalled = true }) }
func (n *network) Down()            { n.set(func() { n.down = true }) }
func (n *network) Lose(answers int) { n.set(func() { n.lose = answers }) }
func (n *network) Resume()          { n.set(func() { n.stalled, n.down, n.lose = false, false, 0 }) }

var errGone = fmt.Errorf("connection reset: %w", hosts.ErrUnavailable)

// pass waits while the server is stalled, and tells that it is gone.
func (n *network) pass() error {
	for {
		n.mu.Lock()
		stalled, down, changed := n.stalled, n.down, n.changed
		n.mu.Unlock()
		switch {
		case down:
			return errGone
		case !stalled:
			return nil
		}
		<-changed
	}
}

func (n *network) lost() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lose == 0 {
		return false
	}
	n.lose--
	return true
}

// exchange is a request, an answer, and the time that both take.
func (n *network) exchange(serve func()) error {
	<-time.After(n.latency / 4)
	if err := n.pass(); err != nil {
		return err
	}
	serve()
	<-time.After(n.latency / 4)
	if n.lost() {
		return errGone
	}
	return n.pass()
}

// send has serve carried out by the server, and returns its answer or, when the
// context ends, at once.
func send[A any](ctx context.Context, n *network, serve func() A) (A, error) {
	type reply struct {
		a   A
		err error
	}
	var none A
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select { // for a connection
	case <-time.After(n.latency / 2):
	case <-ctx.Done():
		return none, fmt.Errorf("server is to be asked: %w", ctx.Err())
	}
	replies := make(chan reply, 1)
	go func() {
		var r reply
		r.err = n.exchange(func() { r.a = serve() })
		if r.err != nil {
			r.a = none
		}
		replies <- r
	}()
	select {
	case r := <-replies:
		return r.a, r.err
	case <-ctx.Done():
		return none, fmt.Errorf("server is asked: %w", ctx.Err())
	}
}

// sendError is send where the answer is an error.
func sendError(ctx context.Context, n *network, serve func() error) error {
	err, lost := send(ctx, n, serve)
	if lost != nil {
		return lost
	}
	return err
}

type loaded struct {
	r   core.Record
	err error
}

// distant is a map store behind a network. A flaw changes its methods.
type distant struct {
	*flawed
	net *network
}

func newDistant(latency time.Duration) *distant {
	d := &distant{newFlawed(), newNetwork(latency)}
	m, bg := d.mapStore, context.Background()
	d.load = func(ctx context.Context, id core.ID) (core.Record, error) {
		a, err := send(ctx, d.net, func() loaded { r, err := m.Load(bg, id); return loaded{r, err} })
		if err != nil {
			return core.Record{}, err
		}
		return a.r, a.err
	}
	d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
		if err := r.Check(); err != nil {
			return err
		}
		return sendError(ctx, d.net, func() error { return m.Save(bg, r, prev) })
	}
	d.delete = func(ctx context.Context, id core.ID) error {
		return sendError(ctx, d.net, func() error { return m.Delete(bg, id) })
	}
	d.sweep = func(ctx context.Context, before core.Time, limit int) (int, error) {
		return send(ctx, d.net, func() int { n, _ := m.Sweep(bg, before, limit); return n })
	}
	d.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
		return send(ctx, d.net, func() []core.Record { found, _ := m.Find(bg, q, after, limit); return found })
	}
	d.loadMany = func(ctx context.Context, ids []core.ID) []hosts.Loaded {
		all, err := send(ctx, d.net, func() []hosts.Loaded { return m.LoadMany(bg, ids) })
		if err != nil {
			all = make([]hosts.Loaded, len(ids))
			for i := range all {
				all[i].Err = err
			}
		}
		return all
	}
	d.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
		errs, err := send(ctx, d.net, func() []error { return m.SaveMany(bg, saves) })
		if err != nil {
			return allOf(len(saves), err)
		}
		return errs
	}
	return d
}

func allOf(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}
