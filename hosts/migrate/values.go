package migrate

import (
	"errors"
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
		if err = Unread(v); err != nil {
			m.unfit(name, err)
			continue
		}
		if convert := m.o.Values[name]; convert != nil {
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

// told are the names and errors that were reported. The zero value is ready.
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

// unread reports once of each cause that a source has found a session or a cookie
// that it cannot read.
func (m *Mover) unread(err error) {
	if !m.told.first("error " + err.Error()) {
		return
	}
	if errors.Is(err, ErrNotOpened) {
		m.o.Logger.Warn("an old cookie does not open; a visitor may have made it up, but if logins do not move, the source's keys are not those of the old program", "cookie", m.cookie.Name, "error", err)
		return
	}
	m.o.Logger.Error("an old session cannot be read; it is left as it is, and its visitor is anonymous", "cookie", m.cookie.Name, "error", err)
	if m.o.OnUnfit != nil {
		m.o.OnUnfit("(the session)", err)
	}
}

// maxShown bounds the names of values in a line of the log.
const maxShown = 20

// nobody reports once that values have moved with nobody signed in.
func (m *Mover) nobody(old *Old, l load) {
	if l.user != "" || len(l.items) == 0 || !m.told.first("nobody") {
		return
	}
	var names []string
	for _, v := range l.items[:min(len(l.items), maxShown)] {
		names = append(names, fmt.Sprintf("%s (%T)", v.name, old.Values[v.name]))
	}
	m.o.Logger.Warn("an old session has moved with nobody signed in; if its visitor was signed in, correct migrate.Options.User", "values", names)
}

// unfit reports once that values of a name stay behind.
func (m *Mover) unfit(name string, err error) {
	if !m.told.first("value " + name) {
		return
	}
	text := "values of old sessions are left behind"
	if !errors.Is(err, ErrUnregistered) {
		text += "; a function in migrate.Options.Values can make them fit"
	}
	m.o.Logger.Warn(text, "name", name, "error", err)
	if m.o.OnUnfit != nil {
		m.o.OnUnfit(name, err)
	}
}
