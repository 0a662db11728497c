package hosts

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Errors of Get.
var (
	// ErrNoValue: the session has no value of that name.
	ErrNoValue = errors.New("no value of that name in the session")
	// ErrValueType: the value is there, but it cannot be read as the wanted
	// type without loss. The error around it names both types.
	ErrValueType = errors.New("session value cannot be read as the wanted type")
)

// Putter takes the types that core.ErrType lists.
type Putter interface {
	Put(name string, v any) error
}

// Getter returns what a Putter took, with the same type, or ErrNoValue.
type Getter interface {
	Get(name string) (any, error)
}

// Put keeps v under a name. Beside what the session takes by itself, T may be
//   - a type whose underlying type is bool, string, a float or an integer;
//   - a struct: kept as a map with a text key for each exported field, the
//     field's name or that of its tag `session:"name"`; "-" leaves a field
//     out, an embedded struct is a field like any other;
//   - a pointer, slice, array, or map with string keys, of any of these.
//
// A field or element of type any must hold what the session takes by itself.
// A struct with fields but none to keep is refused with core.ErrType, as is
// every other type. Safe for concurrent use as far as s is.
func Put[T any](s Putter, name string, v T) error {
	plain, err := plainOf(name, v)
	if err != nil {
		return err
	}
	return s.Put(name, plain)
}

// plainOf returns v as what a session takes by itself.
func plainOf[T any](name string, v T) (any, error) {
	plain, err := flatten(reflect.ValueOf(&v).Elem(), 0)
	if err != nil {
		return nil, fmt.Errorf("session value %q: %w", name, err)
	}
	return plain, nil
}

// Get returns the value of that name as a T, which may be what Put takes. Of a
// struct, keys that it has no field for are ignored and fields that are not
// stored stay zero, so that a type may grow while its sessions live. Numbers
// are converted between integer types, and between float types, where nothing
// is lost; lists and maps are read element by element.
//
// Errors: ErrValueType, and whatever s returns, such as ErrNoValue.
func Get[T any](s Getter, name string) (T, error) {
	v, err := s.Get(name)
	if err != nil {
		var none T
		return none, err
	}
	return as[T](name, v)
}

// as reads a plain value as a T.
func as[T any](name string, v any) (T, error) {
	var t, none T
	if same, ok := v.(T); ok {
		return same, nil
	}
	if err := restore(reflect.ValueOf(&t).Elem(), v, 0); err != nil {
		return none, fmt.Errorf("session value %q: %w", name, err)
	}
	return t, nil
}

// EncodeValue returns the stored bytes of v. The error names the key and the
// Go type that is at fault, never the value.
func EncodeValue(name string, v any) ([]byte, error) {
	data, err := core.AppendValue(nil, v)
	if err != nil {
		return nil, fmt.Errorf("session value %q of type %T: %w", name, culprit(v), err)
	}
	return data, nil
}

// culprit returns the first element of v, however deep, whose type is refused,
// or else v. Nesting bounds it, as AppendValue has looked no deeper.
func culprit(v any) any {
	refused := func(e any) bool {
		_, err := core.AppendValue(nil, e)
		return errors.Is(err, core.ErrType)
	}
	switch list := v.(type) {
	case []any:
		for _, e := range list {
			if refused(e) {
				return culprit(e)
			}
		}
	case map[string]any:
		for _, e := range list {
			if refused(e) {
				return culprit(e)
			}
		}
	}
	return v
}

// maxReflectDepth bounds the way through pointers, structs, lists and maps, so
// that a pointer that leads to itself ends. Nesting proper is judged by core.
const maxReflectDepth = 4 * core.MaxNesting

var timeType = reflect.TypeFor[time.Time]()

// plain are the types that a session takes by itself.
var plain = map[reflect.Type]bool{
	reflect.TypeFor[bool]():              true,
	reflect.TypeFor[int]():               true,
	reflect.TypeFor[int64]():             true,
	reflect.TypeFor[uint64]():            true,
	reflect.TypeFor[float64]():           true,
	reflect.TypeFor[string]():            true,
	reflect.TypeFor[[]byte]():            true,
	timeType:                             true,
	reflect.TypeFor[time.Duration]():     true,
	reflect.TypeFor[[]string]():          true,
	reflect.TypeFor[[]int]():             true,
	reflect.TypeFor[[]any]():             true,
	reflect.TypeFor[map[string]string](): true,
	reflect.TypeFor[map[string]any]():    true,
}
