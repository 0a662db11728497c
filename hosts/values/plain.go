package values

import (
	"fmt"
	"reflect"

	"github.com/rockstar-web/sessions/core"
)

// flatten translates v into the types that a session takes by itself.
func flatten(v reflect.Value, depth int) (any, error) {
	if depth > maxReflectDepth {
		return nil, core.ErrNesting
	}
	if plain[v.Type()] {
		return v.Interface(), nil
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.String:
		return v.String(), nil
	case reflect.Int64:
		return v.Int(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
		return int(v.Int()), nil
	case reflect.Uint8, reflect.Uint16:
		return int(v.Uint()), nil
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		return v.Uint(), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		return flatten(v.Elem(), depth+1)
	case reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		if !plain[v.Elem().Type()] {
			return nil, refusedType(v.Elem().Type(), "its type would be lost behind an interface")
		}
		return v.Elem().Interface(), nil
	case reflect.Slice, reflect.Array:
		return flattenList(v, depth)
	case reflect.Map:
		return flattenMap(v, depth)
	case reflect.Struct:
		return flattenStruct(v, depth)
	}
	return nil, refusedType(v.Type(), "a "+v.Kind().String()+" cannot be kept")
}

// refusedType names the type at fault and why.
func refusedType(t reflect.Type, why string) error {
	return fmt.Errorf("%s, %s: %w", t, why, core.ErrType)
}

func flattenList(v reflect.Value, depth int) (any, error) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		p := make([]byte, v.Len())
		for i := range p {
			p[i] = byte(v.Index(i).Uint())
		}
		return p, nil
	}
	list := make([]any, v.Len())
	for i := range list {
		e, err := flatten(v.Index(i), depth+1)
		if err != nil {
			return nil, err
		}
		list[i] = e
	}
	return list, nil
}

func flattenMap(v reflect.Value, depth int) (any, error) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, refusedType(v.Type(), "the keys of a map must be strings")
	}
	m := make(map[string]any, v.Len())
	for entries := v.MapRange(); entries.Next(); {
		e, err := flatten(entries.Value(), depth+1)
		if err != nil {
			return nil, err
		}
		m[entries.Key().String()] = e
	}
	return m, nil
}

func flattenStruct(v reflect.Value, depth int) (any, error) {
	if v.Type().ConvertibleTo(timeType) {
		return v.Convert(timeType).Interface(), nil
	}
	p := planOf(v.Type())
	if p.err != nil {
		return nil, p.err
	}
	m := make(map[string]any, len(p.fields))
	for _, f := range p.fields {
		e, err := flatten(v.Field(f.index), depth+1)
		if err != nil {
			return nil, fmt.Errorf("field %s of %s: %w", f.name, v.Type(), err)
		}
		m[f.name] = e
	}
	return m, nil
}
