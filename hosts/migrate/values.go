package migrate

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/values"
)

// Of makes of an old value that is a T what a session keeps, which may be a
// struct: hosts.Get reads it back. It is a function for Options.Values:
//
//	Values: map[string]func(any) (any, error){"cart": migrate.Of[Cart]}
func Of[T any](old any) (any, error) {
	t, ok := old.(T)
	if p, points := old.(*T); points && p != nil { // as gob gives what was registered by a pointer
		t, ok = *p, true
	}
	if !ok {
		return nil, fmt.Errorf("it is a %T and not a %T", old, t)
	}
	return values.Plain("", t)
}

// item is a value that goes over, encoded.
type item struct {
	name string
	raw  []byte
}

// load is what moves of an old session.
type load struct {
	user  string
	items []item
}

// pack chooses what moves, and reports what does not fit.
func (m *Mover) pack(old *Old) load {
	var l load
	if user, ok := m.o.User(old.Values); ok {
		if err := m.mw.Manager().Engine().New(core.Request{}).Login(user, 0); err != nil {
			m.unfit("(the user)", err)
		} else {
			l.user = user
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old.Values)) {
		v, err := old.Values[name], error(nil)
		if Unregistered(v) {
			err = ErrUnregistered
		} else if convert := m.o.Values[name]; convert != nil {
			if v, err = convert(v); err == nil && v == nil {
				continue
			}
		}
		var raw []byte
		if err == nil {
			raw, err = values.Encode(name, v)
		}
		if err != nil {
			m.unfit(name, err)
			continue
		}
		l.items = append(l.items, item{name, raw})
	}
	return l
}

// maxTold bounds the names that are remembered as reported.
const maxTold = 1000

// told are the names that were reported. The zero value is ready.
type told struct {
	mu    sync.Mutex
	names map[string]bool
}

func (t *told) first(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.names[name] || len(t.names) == maxTold {
		return false
	}
	if t.names == nil {
		t.names = map[string]bool{}
	}
	t.names[name] = true
	return true
}

// unfit reports once that values of a name stay behind.
func (m *Mover) unfit(name string, err error) {
	if !m.told.first(name) {
		return
	}
	m.o.Logger.Warn("values of old sessions are left behind; a function in migrate.Options.Values can make them fit", "name", name, "error", err)
	if m.o.OnUnfit != nil {
		m.o.OnUnfit(name, err)
	}
}
