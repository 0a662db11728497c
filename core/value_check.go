package core

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// CheckValue reports whether data is exactly one well-formed value: what
// AppendValue writes, and nothing else. It builds and allocates nothing. The
// errors are ErrBadValue, ErrNesting, ErrTime and ErrValueSize.
//
// It judges the bytes, so it also accepts an int that only a 64-bit platform
// can decode: a record must open wherever it is carried.
func CheckValue(data []byte) error {
	n, err := skipValue(data)
	if err == nil && n != len(data) {
		err = ErrBadValue
	}
	return err
}

// skipValue returns the length in bytes of the first value in data, held to
// the rules of CheckValue; what follows it is not looked at. It is the only
// judge of stored values: DecodeValue asks it first. It allocates nothing, and
// its work is linear in the length.
func skipValue(data []byte) (n int, err error) {
	n, err = skipAt(data, 0, 0)
	if err != nil {
		return 0, err
	}
	if n > MaxSessionSize {
		return 0, ErrValueSize
	}
	return n, nil
}

// skipAt returns where the value that begins at data[i], inside depth lists
// and maps, ends.
func skipAt(data []byte, i, depth int) (int, error) {
	if i < len(data) { // the usual: a head of one byte
		switch b := data[i]; {
		case b^majorText < 24:
			return skipText(data, i+1, uint64(b^majorText))
		case b&^majorNegint < 24: // an integer
			return i + 1, nil
		case b >= majorSimple:
			return skipSimple(data, i)
		}
	}
	major, arg, next, ok := readHead(data, i)
	if !ok {
		return 0, ErrBadValue
	}
	switch major {
	case majorUint, majorNegint:
		return next, badUnless(arg <= math.MaxInt64)
	case majorBytes:
		return skipBytes(data, next, arg)
	case majorText:
		return skipText(data, next, arg)
	case majorArray:
		return skipList(data, next, arg, depth, skipAt)
	case majorMap:
		return skipMap(data, next, arg, depth, skipAt)
	}
	return skipTagged(data, next, arg, depth)
}

func badUnless(ok bool) error {
	if ok {
		return nil
	}
	return ErrBadValue
}

// skipSimple skips false, true, null, and a float in its shortest form.
func skipSimple(data []byte, i int) (int, error) {
	rest := data[i+1:]
	switch data[i] {
	case simpleFalse, simpleTrue, simpleNull:
		return i + 1, nil
	case float16:
		if len(rest) >= 2 {
			half := binary.BigEndian.Uint16(rest)
			return i + 3, badUnless(half&0x7fff <= 0x7c00 || half == halfNaN)
		}
	case float32Bits:
		if len(rest) >= 4 {
			single := math.Float32frombits(binary.BigEndian.Uint32(rest))
			_, fits := halfFromSingle(single)
			return i + 5, badUnless(single == single && !fits)
		}
	case float64Bits:
		if len(rest) >= 8 {
			f := math.Float64frombits(binary.BigEndian.Uint64(rest))
			return i + 9, badUnless(f == f && float64(float32(f)) != f)
		}
	}
	return 0, ErrBadValue
}

// skipBytes skips the n bytes at data[i]. It compares before it converts: a
// length that lies must not wrap around where int has 32 bits.
func skipBytes(data []byte, i int, n uint64) (int, error) {
	if n > uint64(len(data)-i) {
		return 0, ErrBadValue
	}
	return i + int(n), nil
}

func skipText(data []byte, i int, n uint64) (int, error) {
	end, err := skipBytes(data, i, n)
	if err != nil {
		return 0, err
	}
	if text := data[i:end]; !isASCII(text) && !utf8.Valid(text) {
		return 0, ErrBadValue
	}
	return end, nil
}

// skipper skips one value inside depth lists and maps.
type skipper func(data []byte, i, depth int) (int, error)

// skipList skips n values. A count that lies ends with the data.
func skipList(data []byte, i int, n uint64, depth int, skip skipper) (int, error) {
	if depth >= MaxNesting {
		return 0, ErrNesting
	}
	var err error
	for ; n > 0; n-- {
		if i, err = skip(data, i, depth+1); err != nil {
			return 0, err
		}
	}
	return i, nil
}

// skipMap skips n pairs, whose encoded keys must ascend: so none comes twice.
func skipMap(data []byte, i int, n uint64, depth int, skip skipper) (int, error) {
	if depth >= MaxNesting {
		return 0, ErrNesting
	}
	var last []byte
	for ; n > 0; n-- {
		end, err := skipString(data, i, depth+1)
		if err != nil {
			return 0, err
		}
		if bytes.Compare(last, data[i:end]) >= 0 {
			return 0, ErrBadValue
		}
		last = data[i:end]
		if i, err = skip(data, end, depth+1); err != nil {
			return 0, err
		}
	}
	return i, nil
}

// skipString skips a Go string: text, or the tag for one that is not UTF-8.
func skipString(data []byte, i, _ int) (int, error) {
	major, arg, next, ok := readHead(data, i)
	switch {
	case ok && major == majorText:
		return skipText(data, next, arg)
	case ok && major == majorTag && arg == tagBytesText:
		return skipBytesText(data, next)
	}
	return 0, ErrBadValue
}

func skipBytesText(data []byte, i int) (int, error) {
	major, n, next, ok := readHead(data, i)
	if !ok || major != majorBytes {
		return 0, ErrBadValue
	}
	end, err := skipBytes(data, next, n)
	if err != nil || utf8.Valid(data[next:end]) {
		return 0, ErrBadValue
	}
	return end, nil
}

// skipInt skips a signed integer of 64 bits.
func skipInt(data []byte, i, _ int) (int, error) {
	_, next, ok := readInt(data, i)
	return next, badUnless(ok)
}

func readInt(data []byte, i int) (n int64, next int, ok bool) {
	major, arg, next, ok := readHead(data, i)
	if !ok || arg > math.MaxInt64 || major > majorNegint {
		return 0, 0, false
	}
	if major == majorNegint {
		return ^int64(arg), next, true
	}
	return int64(arg), next, true
}

// skipTagged skips what follows the head of a tag.
func skipTagged(data []byte, i int, tag uint64, depth int) (int, error) {
	switch tag {
	case tagInt64, tagDuration:
		return skipInt(data, i, depth)
	case tagTime:
		_, next, err := readTime(data, i)
		return next, err
	case tagBytesText:
		return skipBytesText(data, i)
	}
	major, n, next, ok := readHead(data, i)
	switch {
	case !ok:
	case tag == tagUint64 && major == majorUint:
		return next, nil
	case tag == tagStrings && major == majorArray:
		return skipList(data, next, n, depth, skipString)
	case tag == tagInts && major == majorArray:
		return skipList(data, next, n, depth, skipInt)
	case tag == tagStringMap && major == majorMap:
		return skipMap(data, next, n, depth, skipString)
	}
	return 0, ErrBadValue
}
