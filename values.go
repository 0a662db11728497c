package sessions

import (
	"errors"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/values"
)

// Values is implemented by what keeps values under names: a Session.
type Values interface {
	Get(name string) (any, error)
	Peek(name string) (any, error)
	Put(name string, value any) error
	Add(name string, n int64) (sum int64, err error)
	Update(name string, fn hosts.UpdateFunc) error
	Take(name string) (any, error)
	Delete(name string) error
}

// Count is a number in the session that requests add to. It is safe for
// concurrent use.
type Count struct{ name string }

// Counter declares a number under a name: once, as a variable of a package.
func Counter(name string) Count { return Count{name} }

// Get returns the number; 0 where there is none.
func (c Count) Get(s Values) (int64, error) { return Value[int64](c.name).Get(s) }

// Add adds n and returns the sum. All additions count, also those of other
// requests at the same moment: what is stored may be more than the sum.
func (c Count) Add(s Values, n int64) (int64, error) { return s.Add(c.name, n) }

// Delete removes the number: it is 0 again.
func (c Count) Delete(s Values) error { return s.Delete(c.name) }

// Typed is a value of one type in the session. It is safe for concurrent use.
type Typed[T any] struct {
	name      string
	otherwise T
	lastWins  bool
}

// Value declares a value of type T under a name: once, as a variable of a package.
// T may be a number, string, bool, []byte, time.Time, a struct, or a pointer,
// slice, array or map of these; values.Plain says exactly what.
func Value[T any](name string) Typed[T] { return Typed[T]{name: name} }

// Default returns the declaration with a value for sessions that have none, in
// place of the zero value. It must not be changed afterwards.
func (v Typed[T]) Default(value T) Typed[T] {
	v.otherwise = value
	return v
}

// LastWins returns the declaration with another rule for Get and then Put: the
// later request wins, and none is refused with ErrConflict.
func (v Typed[T]) LastWins() Typed[T] {
	v.lastWins = true
	return v
}

// Get returns the value, or the default where there is none. An error means that
// the store does not answer, or hosts.ErrValueType: a value of another type is there.
func (v Typed[T]) Get(s Values) (T, error) {
	get := s.Get
	if v.lastWins {
		get = s.Peek
	}
	value, _, err := v.found(get(v.name))
	return value, err
}

// Put keeps a value. If the request has read it before by Get, and another request
// has changed it since, this one is refused with ErrConflict and nothing is lost. To
// compute a new value from the old one, use Update.
func (v Typed[T]) Put(s Values, value T) error { return hosts.Put(s, v.name, value) }

// Update keeps what fn computes from the value before, or from the default. Where
// another request was faster, fn runs again on what that has stored: it must only
// compute. Its error is returned, and nothing is stored.
func (v Typed[T]) Update(s Values, fn func(T) (T, error)) error {
	return s.Update(v.name, func(old any, ok bool) (any, error) {
		value := v.otherwise
		if ok {
			var err error
			if value, err = values.As[T](v.name, old); err != nil {
				return nil, err
			}
		}
		value, err := fn(value)
		if err != nil {
			return nil, err
		}
		return values.Plain(v.name, value)
	})
}

// Take removes the value and returns it: a flash message, a one-time link. At most one
// of several requests gets it; ok is false for the others.
func (v Typed[T]) Take(s Values) (value T, ok bool, err error) { return v.found(s.Take(v.name)) }

// Delete removes the value; a missing one is no error.
func (v Typed[T]) Delete(s Values) error { return s.Delete(v.name) }

func (v Typed[T]) found(value any, err error) (T, bool, error) {
	if errors.Is(err, hosts.ErrNoValue) {
		return v.otherwise, false, nil
	}
	if err != nil {
		var none T
		return none, false, err
	}
	t, err := values.As[T](v.name, value)
	return t, err == nil, err
}
