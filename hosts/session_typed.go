package hosts

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/values"
)

// Errors of Get.
var (
	// ErrNoValue: the session has no value of that name.
	ErrNoValue = errors.New("no value of that name in the session")
	// ErrValueType: the value is there, but it cannot be read as the wanted
	// type without loss. The error around it names both types.
	ErrValueType = values.ErrType
)

// Putter takes the types that core.ErrType lists.
type Putter interface {
	Put(name string, v any) error
}

// Getter returns what a Putter took, with the same type, or ErrNoValue.
type Getter interface {
	Get(name string) (any, error)
}

// Put keeps v under a name. Beside what the session takes by itself, T may be a
// struct, a named type, or a pointer, slice, array or map of these: what exactly is
// said at values.Plain. Other types are refused with core.ErrType. Safe for
// concurrent use as far as s is.
func Put[T any](s Putter, name string, v T) error {
	plain, err := values.Plain(name, v)
	if err != nil {
		return err
	}
	return s.Put(name, plain)
}

// Get returns the value of that name as a T, which may be what Put takes: what
// is converted, and how a struct may grow, is said at values.As.
//
// Errors: ErrValueType, and whatever s returns, such as ErrNoValue.
func Get[T any](s Getter, name string) (T, error) {
	v, err := s.Get(name)
	if err != nil {
		var none T
		return none, err
	}
	return values.As[T](name, v)
}

// Updater computes values from those before: a nethttp session is one.
type Updater interface {
	Update(name string, fn UpdateFunc) error
}

// Update is s.Update for a T as Put and Get take it; a missing value is the zero
// T. It must not change the T that it is given where that holds maps, slices or
// pointers which the program uses elsewhere: it may run several times.
func Update[T any](s Updater, name string, fn func(T) (T, error)) error {
	return s.Update(name, typed(name, fn))
}

// UpdateByID is Manager.Update for a T as Put and Get take it.
func UpdateByID[T any](ctx context.Context, m *Manager, id core.ID, name string, fn func(T) (T, error)) error {
	return m.Update(ctx, id, name, typed(name, fn))
}

func typed[T any](name string, fn func(T) (T, error)) UpdateFunc {
	return func(old any, ok bool) (any, error) {
		var t T
		if ok {
			var err error
			if t, err = values.As[T](name, old); err != nil {
				return nil, err
			}
		}
		t, err := fn(t)
		if err != nil {
			return nil, err
		}
		return values.Plain(name, t)
	}
}
