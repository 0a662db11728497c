package values

import (
	"fmt"
	"math"
	"reflect"
	"time"
)

// mismatch is a stored value that does not go into the wanted type.
type mismatch struct {
	stored any
	wanted reflect.Type
}

func (m mismatch) Error() string {
	return fmt.Sprintf("stored as %T, wanted as %s: %v", m.stored, m.wanted, ErrType)
}

func (m mismatch) Unwrap() error { return ErrType }

// restore puts v, of a type that a session takes by itself, into dst.
func restore(dst reflect.Value, v any, depth int) error {
	if depth > maxReflectDepth {
		return mismatch{v, dst.Type()}
	}
	if v == nil {
		switch dst.Kind() {
		case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
			dst.SetZero()
			return nil
		}
		return mismatch{v, dst.Type()}
	}
	src := reflect.ValueOf(v)
	if src.Type() == dst.Type() {
		dst.Set(src)
		return nil
	}
	switch dst.Kind() {
	case reflect.Pointer:
		to := reflect.New(dst.Type().Elem())
		if err := restore(to.Elem(), v, depth+1); err != nil {
			return err
		}
		dst.Set(to)
		return nil
	case reflect.Slice, reflect.Array:
		return restoreList(dst, src, depth)
	case reflect.Map:
		return restoreMap(dst, src, depth)
	case reflect.Struct:
		return restoreStruct(dst, v, depth)
	}
	if !restoreScalar(dst, v) {
		return mismatch{v, dst.Type()}
	}
	return nil
}

// restoreScalar reports whether v is in dst, nothing of it lost.
func restoreScalar(dst reflect.Value, v any) bool {
	switch dst.Kind() {
	case reflect.Interface:
		if dst.NumMethod() == 0 {
			dst.Set(reflect.ValueOf(v))
			return true
		}
	case reflect.Bool:
		if b, ok := v.(bool); ok {
			dst.SetBool(b)
			return true
		}
	case reflect.String:
		if s, ok := v.(string); ok {
			dst.SetString(s)
			return true
		}
	case reflect.Float32, reflect.Float64:
		if f, ok := v.(float64); ok {
			dst.SetFloat(f)
			return dst.Float() == f || f != f
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := asInt64(v)
		if ok && !dst.OverflowInt(n) && dst.Type() != reflect.TypeFor[time.Duration]() {
			dst.SetInt(n)
			return true
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, ok := asUint64(v)
		if ok && !dst.OverflowUint(n) {
			dst.SetUint(n)
			return true
		}
	}
	return false
}

func asInt64(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= math.MaxInt64
	}
	return 0, false
}

func asUint64(v any) (n uint64, ok bool) {
	if n, ok := v.(uint64); ok {
		return n, true
	}
	signed, ok := asInt64(v)
	return uint64(signed), ok && signed >= 0
}

func restoreList(dst, src reflect.Value, depth int) error {
	t := dst.Type()
	bytes := src.Type() == reflect.TypeFor[[]byte]()
	if src.Kind() != reflect.Slice || bytes != (t.Elem().Kind() == reflect.Uint8) ||
		t.Kind() == reflect.Array && t.Len() != src.Len() {
		return mismatch{src.Interface(), t}
	}
	to := dst
	if t.Kind() == reflect.Slice {
		to = reflect.MakeSlice(t, src.Len(), src.Len())
	}
	for i := range src.Len() {
		if bytes {
			to.Index(i).SetUint(src.Index(i).Uint())
			continue
		}
		if err := restore(to.Index(i), src.Index(i).Interface(), depth+1); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	dst.Set(to)
	return nil
}

func restoreMap(dst, src reflect.Value, depth int) error {
	t := dst.Type()
	if src.Kind() != reflect.Map || t.Key().Kind() != reflect.String {
		return mismatch{src.Interface(), t}
	}
	to := reflect.MakeMapWithSize(t, src.Len())
	for entries := src.MapRange(); entries.Next(); {
		e := reflect.New(t.Elem()).Elem()
		if err := restore(e, entries.Value().Interface(), depth+1); err != nil {
			return fmt.Errorf("entry of the map: %w", err) // a key may be a visitor's data
		}
		to.SetMapIndex(entries.Key().Convert(t.Key()), e)
	}
	dst.Set(to)
	return nil
}

func restoreStruct(dst reflect.Value, v any, depth int) error {
	t := dst.Type()
	if moment, ok := v.(time.Time); ok && timeType.ConvertibleTo(t) {
		dst.Set(reflect.ValueOf(moment).Convert(t))
		return nil
	}
	stored, ok := v.(map[string]any)
	if !ok || timeType.ConvertibleTo(t) {
		return mismatch{v, t}
	}
	p := planOf(t)
	if p.err != nil {
		return p.err
	}
	for _, f := range p.fields {
		e, ok := stored[f.name]
		if !ok {
			continue
		}
		if err := restore(dst.Field(f.index), e, depth+1); err != nil {
			return fmt.Errorf("field %s of %s: %w", f.name, t, err)
		}
	}
	return nil
}
