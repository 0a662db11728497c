package core

import (
	"time"
	"unicode/utf8"
)

// Errors of values. None carries anything of the value itself.
const (
	ErrType Error = "type cannot be kept in a session; allowed are nil, bool, int, int64, uint64, float64, string, []byte, " +
		"time.Time, time.Duration, []string, []int, []any, map[string]string and map[string]any"
	ErrBadValue  Error = "stored value is not deterministic CBOR (RFC 8949, section 4.2.1) of a type that a session keeps"
	ErrNesting   Error = "value nests lists and maps deeper than 16 (MaxNesting); a list or map that contains itself has no end"
	ErrValueSize Error = "value takes more than 1 MiB (MaxSessionSize) when encoded"
	ErrTime      Error = "time is outside the years 1 to 9999 in UTC, or its zone is a day or more from UTC"
	ErrIntSize   Error = "stored int needs 64 bits and this platform's int has 32; store it as int64"
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
	limit := len(dst) + MaxSessionSize
	grown, err := appendAny(dst, v, bounds{limit: limit})
	if err == nil && len(grown) > limit {
		err = ErrValueSize
	}
	if err != nil {
		return dst, err
	}
	return grown, nil
}

// bounds of a value that is being written: the length that dst may reach and
// the lists and maps around the value. The length is tested after each element:
// lists that share their elements would otherwise unfold almost without end.
type bounds struct{ limit, depth int }

// enter is asked before n elements inside the value.
func (b *bounds) enter(n int) error {
	if b.depth >= MaxNesting {
		return ErrNesting
	}
	if n >= MaxSessionSize {
		return ErrValueSize
	}
	b.depth++
	return nil
}

func appendAny(dst []byte, v any, b bounds) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, simpleNull), nil
	case bool:
		if v {
			return append(dst, simpleTrue), nil
		}
		return append(dst, simpleFalse), nil
	case int:
		return appendInt(dst, int64(v)), nil
	case int64:
		return appendInt(appendHead(dst, majorTag, tagInt64), v), nil
	case uint64:
		return appendHead(appendHead(dst, majorTag, tagUint64), majorUint, v), nil
	case float64:
		return appendFloat(dst, v), nil
	case string:
		return appendString(dst, v)
	case []byte:
		if len(v) > MaxSessionSize {
			return dst, ErrValueSize
		}
		return append(appendHead(dst, majorBytes, uint64(len(v))), v...), nil
	case time.Time:
		return appendTime(dst, v)
	case time.Duration:
		return appendInt(appendHead(dst, majorTag, tagDuration), int64(v)), nil
	case []any:
		return appendList(dst, v, b, appendAny)
	case map[string]any:
		return appendAnyMap(dst, v, b)
	case []string:
		return appendList(appendHead(dst, majorTag, tagStrings), v, b, appendStringElement)
	case []int:
		return appendList(appendHead(dst, majorTag, tagInts), v, b, appendIntElement)
	case map[string]string:
		return appendStringMap(appendHead(dst, majorTag, tagStringMap), v, b)
	}
	return dst, ErrType
}

func appendString(dst []byte, s string) ([]byte, error) {
	return appendChecked(dst, s, isASCII(s) || utf8.ValidString(s))
}

func appendChecked(dst []byte, s string, isUTF8 bool) ([]byte, error) {
	if len(s) < 24 && isUTF8 {
		return append(append(dst, majorText|byte(len(s))), s...), nil
	}
	if len(s) > MaxSessionSize {
		return dst, ErrValueSize
	}
	major := byte(majorText)
	if !isUTF8 {
		dst = appendHead(dst, majorTag, tagBytesText)
		major = majorBytes
	}
	return append(appendHead(dst, major, uint64(len(s))), s...), nil
}

func appendStringElement(dst []byte, s string, _ bounds) ([]byte, error) { return appendString(dst, s) }

func appendIntElement(dst []byte, n int, _ bounds) ([]byte, error) {
	return appendInt(dst, int64(n)), nil
}

func appendList[V any](dst []byte, values []V, b bounds, one func([]byte, V, bounds) ([]byte, error)) ([]byte, error) {
	err := b.enter(len(values))
	if err != nil {
		return dst, err
	}
	dst = appendHead(dst, majorArray, uint64(len(values)))
	for _, v := range values {
		if dst, err = one(dst, v, b); err != nil {
			return dst, err
		}
		if len(dst) > b.limit {
			return dst, ErrValueSize
		}
	}
	return dst, nil
}

// The two maps are written alike, but each by direct calls, and the usual name
// without one: a session's maps are what costs most.

func appendAnyMap(dst []byte, m map[string]any, b bounds) ([]byte, error) {
	err := b.enter(len(m))
	if err != nil {
		return dst, err
	}
	dst = appendHead(dst, majorMap, uint64(len(m)))
	var f few[any]
	entries, order := sortEntries(m, f.entries[:0], f.order[:0])
	for _, r := range order {
		e := &entries[r&rankIndex]
		if len(e.key) < 24 && r&rankNotUTF8 == 0 {
			dst = append(append(dst, majorText|byte(len(e.key))), e.key...)
		} else if dst, err = appendChecked(dst, e.key, r&rankNotUTF8 == 0); err != nil {
			return dst, err
		}
		if dst, err = appendAny(dst, e.value, b); err != nil {
			return dst, err
		}
		if len(dst) > b.limit {
			return dst, ErrValueSize
		}
	}
	return dst, nil
}

func appendStringMap(dst []byte, m map[string]string, b bounds) ([]byte, error) {
	err := b.enter(len(m))
	if err != nil {
		return dst, err
	}
	dst = appendHead(dst, majorMap, uint64(len(m)))
	var f few[string]
	entries, order := sortEntries(m, f.entries[:0], f.order[:0])
	for _, r := range order {
		e := &entries[r&rankIndex]
		if dst, err = appendChecked(dst, e.key, r&rankNotUTF8 == 0); err != nil {
			return dst, err
		}
		if dst, err = appendString(dst, e.value); err != nil {
			return dst, err
		}
		if len(dst) > b.limit {
			return dst, ErrValueSize
		}
	}
	return dst, nil
}
