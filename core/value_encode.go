package core

import (
	"time"
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
// the lists and maps around the value. The length is tested wherever it may
// jump and after each element: lists that share their elements would otherwise
// unfold almost without end.
type bounds struct{ limit, depth int }

func (b bounds) refuse(dst []byte, n int) bool { return len(dst) > b.limit || n > b.limit-len(dst) }

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
		return appendString(dst, v, b)
	case []byte:
		if b.refuse(dst, len(v)) {
			return dst, ErrValueSize
		}
		return append(appendHead(dst, majorBytes, uint64(len(v))), v...), nil
	case time.Time:
		return appendTime(dst, v)
	case time.Duration:
		return appendInt(appendHead(dst, majorTag, tagDuration), int64(v)), nil
	}
	return appendContainer(dst, v, b)
}

func appendContainer(dst []byte, v any, b bounds) ([]byte, error) {
	switch v := v.(type) {
	case []any:
		return appendList(dst, v, b, appendAny)
	case map[string]any:
		return appendMap(dst, v, b, appendAny)
	case []string:
		return appendList(appendHead(dst, majorTag, tagStrings), v, b, appendString)
	case []int:
		return appendList(appendHead(dst, majorTag, tagInts), v, b, appendElement)
	case map[string]string:
		return appendMap(appendHead(dst, majorTag, tagStringMap), v, b, appendString)
	}
	return dst, ErrType
}

func appendElement(dst []byte, n int, _ bounds) ([]byte, error) { return appendInt(dst, int64(n)), nil }

func appendString(dst []byte, s string, b bounds) ([]byte, error) {
	return appendChecked(dst, s, isUTF8(s), b)
}

func appendChecked(dst []byte, s string, isUTF8 bool, b bounds) ([]byte, error) {
	if b.refuse(dst, len(s)) {
		return dst, ErrValueSize
	}
	major := byte(majorText)
	if !isUTF8 {
		dst = appendHead(dst, majorTag, tagBytesText)
		major = majorBytes
	}
	return append(appendHead(dst, major, uint64(len(s))), s...), nil
}

// appender appends one value of a Go type.
type appender[V any] func(dst []byte, v V, b bounds) ([]byte, error)

func appendList[V any](dst []byte, values []V, b bounds, appendOne appender[V]) ([]byte, error) {
	if b.depth >= MaxNesting {
		return dst, ErrNesting
	}
	if b.refuse(dst, len(values)) {
		return dst, ErrValueSize
	}
	dst = appendHead(dst, majorArray, uint64(len(values)))
	b.depth++
	var err error
	for _, v := range values {
		if dst, err = appendOne(dst, v, b); err != nil {
			return dst, err
		}
		if b.refuse(dst, 0) {
			return dst, ErrValueSize
		}
	}
	return dst, nil
}

func appendMap[V any](dst []byte, m map[string]V, b bounds, appendOne appender[V]) ([]byte, error) {
	if b.depth >= MaxNesting {
		return dst, ErrNesting
	}
	if b.refuse(dst, len(m)) || len(m) > rankIndex {
		return dst, ErrValueSize
	}
	dst = appendHead(dst, majorMap, uint64(len(m)))
	b.depth++
	var fewEntries [sortedOnStack]entry[V]
	var fewRanks [sortedOnStack]uint64
	entries, order := fewEntries[:0], fewRanks[:0]
	if len(m) > sortedOnStack {
		entries, order = make([]entry[V], 0, len(m)), make([]uint64, 0, len(m))
	}
	for key, v := range m {
		order = append(order, rank(key)|uint64(len(entries)))
		entries = append(entries, entry[V]{key, v})
	}
	sortRanks(order, entries)
	var err error
	for _, r := range order {
		e := &entries[r&rankIndex]
		if dst, err = appendChecked(dst, e.key, r&rankNotUTF8 == 0, b); err != nil {
			return dst, err
		}
		if dst, err = appendOne(dst, e.value, b); err != nil {
			return dst, err
		}
		if b.refuse(dst, 0) {
			return dst, ErrValueSize
		}
	}
	return dst, nil
}
