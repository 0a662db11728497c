package hosts

import (
	"context"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Op is a kind of call that is reported to an Observer.
type Op uint8

// The kinds of calls.
const (
	OpCommit     Op = iota // of a manager: all that it takes to store what a request did, tries again and waits in line included
	OpLoad                 // of a store, as all that follow
	OpSave                 //
	OpTouch                // a Save that only notes a use: see TouchContext
	OpDelete               //
	OpLoadMany             //
	OpSaveMany             //
	OpDeleteMany           //
	OpFind                 //
	OpSweep                //
	Ops                    // how many there are
)

// String returns the kind in words: "load_many".
func (o Op) String() string {
	if o >= Ops {
		return "unlisted"
	}
	return [Ops]string{"commit", "load", "save", "touch", "delete", "load_many", "save_many", "delete_many", "find", "sweep"}[o]
}

// Call is what is reported to an Observer about one call.
type Call struct {
	Op    Op
	ID    core.ID // of the session; zero for calls of many sessions, and for a commit that begins one
	Count int     // of sessions that were asked for; 0: it is not known before
}

// Observer is called when commits and calls of a store begin and end, to measure and
// trace them. Config.Observer has one for a manager and its store, Observed for a
// store. Its methods are called in the goroutine of the call, by many at once. They
// must not block or panic.
//
// An Observer may have a method AttachManager(*Manager) error, to read the manager's
// Stats. New calls it last, and returns its error.
type Observer interface {
	// Begin returns the context for the call: ctx itself, or one that descends from it.
	Begin(ctx context.Context, c Call) context.Context
	// End has the context that Begin returned, and the error of the call; of several
	// in one command the first.
	End(ctx context.Context, c Call, took time.Duration, err error)
}

// Observers makes one Observer of several. The first begins first, and ends last.
// Nil ones are left out.
func Observers(list ...Observer) Observer {
	all := &observers{}
	for _, o := range list {
		if o != nil {
			all.list = append(all.list, o)
		}
	}
	return all
}

// observers is used by its address, so that two can be compared.
type observers struct{ list []Observer }

func (all *observers) Begin(ctx context.Context, c Call) context.Context {
	for _, o := range all.list {
		ctx = o.Begin(ctx, c)
	}
	return ctx
}

func (all *observers) End(ctx context.Context, c Call, took time.Duration, err error) {
	for i := len(all.list) - 1; i >= 0; i-- {
		all.list[i].End(ctx, c, took, err)
	}
}

// AttachManager tells each that wants to know.
func (all *observers) AttachManager(m *Manager) error {
	for _, o := range all.list {
		if err := attach(o, m); err != nil {
			return err
		}
	}
	return nil
}

func attach(o Observer, m *Manager) error {
	if wants, ok := o.(interface{ AttachManager(*Manager) error }); ok {
		return wants.AttachManager(m)
	}
	return nil
}

// observed is one call under way.
type observed struct {
	by    Observer // nil: nobody
	ctx   context.Context
	call  Call
	began time.Time
}

func observe(ctx context.Context, by Observer, c Call) observed {
	if by == nil {
		return observed{ctx: ctx}
	}
	return observed{by, by.Begin(ctx, c), c, time.Now()}
}

func (o *observed) end(err error) {
	if o.by != nil {
		o.by.End(o.ctx, o.call, time.Since(o.began), err)
	}
}
