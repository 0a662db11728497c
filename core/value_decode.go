package core

import (
	"encoding/binary"
	"math"
	"time"
)

// DecodeValue returns the one value that data is, with the Go type that
// AppendValue was given. Lists, maps and bytes are never nil, and a time
// is in a zone without a name. The result shares no memory with data.
//
// What CheckValue refuses is refused with the same error. ErrIntSize is an int
// that this platform cannot hold.
func DecodeValue(data []byte) (any, error) {
	if err := CheckValue(data); err != nil {
		return nil, err
	}
	b := builder{data: data}
	v := b.value()
	if b.narrow {
		return nil, ErrIntSize
	}
	return v, nil
}

// maxSharedText is the longest encoded list or map, in bytes, whose strings are
// copied in one piece: one kept string keeps no more than that alive.
const maxSharedText = 4 << 10

// builder builds the value at data[i]. CheckValue has accepted the data, so
// every length and every type is as announced.
type builder struct {
	data   []byte
	i      int
	text   string // data once more, to take strings from; empty if each is copied
	narrow bool   // an int was met that needs 64 bits where int has 32
}

func (b *builder) value() any {
	if b.data[b.i]&0xe0 == majorSimple {
		return b.simple()
	}
	switch major, arg := b.head(); major {
	case majorUint:
		return b.narrowed(int64(arg))
	case majorNegint:
		return b.narrowed(^int64(arg))
	case majorBytes:
		return append(make([]byte, 0, arg), b.take(arg)...)
	case majorText:
		return b.str(arg)
	case majorArray:
		b.share()
		list := make([]any, arg)
		for k := range list {
			list[k] = b.value()
		}
		return list
	case majorMap:
		b.share()
		m := make(map[string]any, arg)
		for ; arg > 0; arg-- {
			key := b.string()
			m[key] = b.value()
		}
		return m
	default:
		return b.tagged(arg)
	}
}

// share makes the strings that follow parts of one copy of a small value.
func (b *builder) share() {
	if b.text == "" && len(b.data) <= maxSharedText {
		b.text = string(b.data)
	}
}

func (b *builder) simple() any {
	first, rest := b.data[b.i], b.data[b.i+1:]
	switch first {
	case simpleFalse, simpleTrue:
		b.i++
		return first == simpleTrue
	case float16:
		b.i += 3
		return floatFromHalf(binary.BigEndian.Uint16(rest))
	case float32Bits:
		b.i += 5
		return float64(math.Float32frombits(binary.BigEndian.Uint32(rest)))
	case float64Bits:
		b.i += 9
		return math.Float64frombits(binary.BigEndian.Uint64(rest))
	}
	b.i++
	return nil
}

func (b *builder) tagged(tag uint64) any {
	switch tag {
	case tagInt64:
		return b.int64()
	case tagUint64:
		_, n := b.head()
		return n
	case tagTime:
		c, next, _ := readTime(b.data, b.i)
		b.i = next
		return c.time()
	case tagDuration:
		return time.Duration(b.int64())
	case tagStrings:
		b.share()
		_, n := b.head()
		list := make([]string, n)
		for k := range list {
			list[k] = b.string()
		}
		return list
	case tagInts:
		_, n := b.head()
		list := make([]int, n)
		for k := range list {
			list[k] = b.int()
		}
		return list
	case tagStringMap:
		b.share()
		_, n := b.head()
		m := make(map[string]string, n)
		for ; n > 0; n-- {
			key := b.string()
			m[key] = b.string()
		}
		return m
	}
	_, n := b.head() // tagBytesText
	return b.str(n)
}

func (b *builder) head() (major byte, arg uint64) {
	major, arg, b.i, _ = readHead(b.data, b.i)
	return major, arg
}

func (b *builder) take(n uint64) []byte {
	start := b.i
	b.i += int(n)
	return b.data[start:b.i]
}

func (b *builder) str(n uint64) string {
	p := b.take(n)
	if b.text != "" {
		return b.text[b.i-len(p) : b.i]
	}
	return string(p)
}

func (b *builder) string() string {
	major, n := b.head()
	if major == majorTag {
		_, n = b.head()
	}
	return b.str(n)
}

func (b *builder) int64() (n int64) {
	n, b.i, _ = readInt(b.data, b.i)
	return n
}

func (b *builder) int() int { return b.narrowed(b.int64()) }

// narrowed is n as an int; where that loses something the value is refused.
func (b *builder) narrowed(n int64) int {
	if int64(int(n)) != n {
		b.narrow = true
	}
	return int(n)
}
