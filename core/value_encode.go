package core

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// AppendValue appends v as deterministic CBOR (RFC 8949, section 4.2.1), so
// that equal values are equal bytes. The types that may be kept are listed in
// ErrType, which refuses every other one; lists and maps may hold each other
// and all of them. A nil list, map or []byte is kept as an empty one of its
// type, a string need not be UTF-8, and a time loses its monotonic reading and
// the name of its zone.
//
// The other errors are ErrNesting, ErrTime and ErrValueSize. With any error
// dst comes back as it was. v must not be changed meanwhile.
func AppendValue(dst []byte, v any) ([]byte, error) {
	e := encoder{dst: dst, limit: len(dst) + MaxSessionSize}
	if err := e.value(v, 0); err != nil {
		return dst, err
	}
	if len(e.dst) > e.limit {
		return dst, ErrValueSize
	}
	return e.dst, nil
}

// encoder appends to dst. Its limit, a length of dst, is tested wherever a
// value may grow: lists that share their elements could otherwise unfold
// without end.
type encoder struct {
	dst   []byte
	limit int
}

func (e *encoder) head(major byte, arg uint64) { e.dst = appendHead(e.dst, major, arg) }

func (e *encoder) value(v any, depth int) (err error) {
	switch v := v.(type) {
	case nil:
		e.dst = append(e.dst, simpleNull)
	case bool:
		if v {
			e.dst = append(e.dst, simpleTrue)
		} else {
			e.dst = append(e.dst, simpleFalse)
		}
	case int:
		e.dst = appendInt(e.dst, int64(v))
	case int64:
		e.head(majorTag, tagInt64)
		e.dst = appendInt(e.dst, v)
	case uint64:
		e.head(majorTag, tagUint64)
		e.head(majorUint, v)
	case float64:
		e.dst = appendFloat(e.dst, v)
	case string:
		return e.string(v)
	case []byte:
		return e.bytes(v)
	case time.Time:
		e.dst, err = appendTime(e.dst, v)
	case time.Duration:
		e.head(majorTag, tagDuration)
		e.dst = appendInt(e.dst, int64(v))
	default:
		return e.container(v, depth)
	}
	return err
}

func (e *encoder) container(v any, depth int) error {
	switch v := v.(type) {
	case []any:
		return list(e, v, depth, (*encoder).value)
	case map[string]any:
		return dict(e, v, depth, (*encoder).value)
	case []string:
		e.head(majorTag, tagStrings)
		return list(e, v, depth, (*encoder).element)
	case []int:
		e.head(majorTag, tagInts)
		return list(e, v, depth, (*encoder).intElement)
	case map[string]string:
		e.head(majorTag, tagStringMap)
		return dict(e, v, depth, (*encoder).element)
	}
	return ErrType
}

func (e *encoder) element(s string, _ int) error { return e.string(s) }

func (e *encoder) intElement(n, _ int) error {
	e.dst = appendInt(e.dst, int64(n))
	return nil
}

func (e *encoder) string(s string) error {
	if len(s) > e.limit-len(e.dst) {
		return ErrValueSize
	}
	if utf8.ValidString(s) {
		e.head(majorText, uint64(len(s)))
	} else {
		e.head(majorTag, tagBytesText)
		e.head(majorBytes, uint64(len(s)))
	}
	e.dst = append(e.dst, s...)
	return nil
}

func (e *encoder) bytes(p []byte) error {
	if len(p) > e.limit-len(e.dst) {
		return ErrValueSize
	}
	e.head(majorBytes, uint64(len(p)))
	e.dst = append(e.dst, p...)
	return nil
}

// enter begins a list or a map of n entries inside depth others.
func (e *encoder) enter(major byte, n, depth int) error {
	if depth >= MaxNesting {
		return ErrNesting
	}
	if n > e.limit-len(e.dst) {
		return ErrValueSize
	}
	e.head(major, uint64(n))
	return nil
}

func list[V any](e *encoder, values []V, depth int, each func(*encoder, V, int) error) error {
	if err := e.enter(majorArray, len(values), depth); err != nil {
		return err
	}
	for _, v := range values {
		if err := each(e, v, depth+1); err != nil {
			return err
		}
		if len(e.dst) > e.limit {
			return ErrValueSize
		}
	}
	return nil
}

// sortedOnStack is how many entries of a map are sorted without allocation.
const sortedOnStack = 16

type entry[V any] struct {
	key   string
	value V
}

func dict[V any](e *encoder, m map[string]V, depth int, each func(*encoder, V, int) error) error {
	if err := e.enter(majorMap, len(m), depth); err != nil {
		return err
	}
	var few [sortedOnStack]entry[V]
	entries := few[:0]
	if len(m) > len(few) {
		entries = make([]entry[V], 0, len(m))
	}
	for key, v := range m {
		entries = append(entries, entry[V]{key, v})
	}
	slices.SortFunc(entries, func(a, b entry[V]) int { return compareKeys(a.key, b.key) })
	for i := range entries {
		if err := e.string(entries[i].key); err != nil {
			return err
		}
		if err := each(e, entries[i].value, depth+1); err != nil {
			return err
		}
		if len(e.dst) > e.limit {
			return ErrValueSize
		}
	}
	return nil
}

// compareKeys orders keys as their encoded bytes are: text before the tag for
// what is not UTF-8, then, as the head comes first, the shorter before the
// longer.
func compareKeys(a, b string) int {
	if validA, validB := utf8.ValidString(a), utf8.ValidString(b); validA != validB {
		if validA {
			return -1
		}
		return 1
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
