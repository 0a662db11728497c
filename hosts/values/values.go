package values

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// ErrType means that a value is there, but cannot be read as the wanted type
// without loss. The error around it names both types.
var ErrType = errors.New("session value cannot be read as the wanted type")

// Plain returns v in the types that a session takes by itself. Beside these, T may be
//   - a type whose underlying type is bool, string, a float or an integer;
//   - a struct: kept as a map with a text key for each exported field, the
//     field's name or that of its tag `session:"name"`; "-" leaves a field
//     out, an embedded struct is a field like any other;
//   - a pointer, slice, array, or map with string keys, of any of these.
//
// A field or element of type any must hold what the session takes by itself.
// A struct with fields but none to keep is refused with core.ErrType, as is
// every other type. The error has the name of the value.
func Plain[T any](name string, v T) (any, error) {
	plain, err := flatten(reflect.ValueOf(&v).Elem(), 0)
	if err != nil {
		return nil, fmt.Errorf("session value %q: %w", name, err)
	}
	return plain, nil
}

// As returns v, which Plain made or core.DecodeValue, as a T, which may be what
// Plain takes. Of a struct, keys that it has no field for are ignored and fields
// that are not stored stay zero, so that a type may grow while its sessions live.
// Numbers are converted between integer types, and between float types, where
// nothing is lost; lists and maps are read element by element.
//
// The error is ErrType, with the name of the value.
func As[T any](name string, v any) (T, error) {
	var t, none T
	if same, ok := v.(T); ok {
		return same, nil
	}
	if err := restore(reflect.ValueOf(&t).Elem(), v, 0); err != nil {
		return none, fmt.Errorf("session value %q: %w", name, err)
	}
	return t, nil
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
