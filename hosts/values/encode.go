package values

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/rockstar-web/sessions/core"
)

// Encode returns the stored bytes of v, which is of the plain types that
// core.AppendValue takes. The error names the key and the Go type that is at
// fault, never the value.
func Encode(name string, v any) ([]byte, error) {
	data, err := core.AppendValue(nil, v)
	if err == nil {
		return data, nil
	}
	bad := culprit(v)
	err = fmt.Errorf("session value %q of type %T: %w", name, bad, err)
	if errors.Is(err, core.ErrType) && translated(bad) {
		err = fmt.Errorf("%w; hosts.Put and sessions.Value keep also structs, named types, and maps, slices and pointers of them", err)
	}
	return nil, err
}

// translated reports whether Plain may take a value that the core does not.
func translated(v any) bool {
	switch reflect.ValueOf(v).Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return false
	}
	return true
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
