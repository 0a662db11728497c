package core

import (
	"encoding/binary"
	"math"
)

// Private tags, from the first come, first served part of the registry. They
// give a value its Go type back where plain CBOR has fewer types. They are
// part of the stored format: none is ever given another meaning.
const (
	tagInt64     = 0xbe00 + iota // integer
	tagUint64                    // unsigned integer
	tagTime                      // [Unix seconds, nanoseconds, seconds east of UTC]
	tagDuration                  // integer, nanoseconds
	tagBytesText                 // byte string: a string that is not UTF-8
	tagStrings                   // array of strings
	tagInts                      // array of integers
	tagStringMap                 // map of strings to strings
)

// Major types, in the place they have in the first byte of a head.
const (
	majorUint   = 0 << 5
	majorNegint = 1 << 5
	majorBytes  = 2 << 5
	majorText   = 3 << 5
	majorArray  = 4 << 5
	majorMap    = 5 << 5
	majorTag    = 6 << 5
	majorSimple = 7 << 5
)

// The first bytes of major type 7 that a value may begin with.
const (
	simpleFalse = 0xf4
	simpleTrue  = 0xf5
	simpleNull  = 0xf6
	float16     = 0xf9
	float32Bits = 0xfa
	float64Bits = 0xfb
)

const halfNaN = 0x7e00 // the only NaN

// appendHead writes a head in its shortest form.
func appendHead(dst []byte, major byte, arg uint64) []byte {
	switch {
	case arg < 24:
		return append(dst, major|byte(arg))
	case arg <= math.MaxUint8:
		return append(dst, major|24, byte(arg))
	case arg <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(arg))
	case arg <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(arg))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), arg)
}

// appendInt writes a signed integer: a negative n is kept as -1-n.
func appendInt(dst []byte, n int64) []byte {
	if n < 0 {
		return appendHead(dst, majorNegint, uint64(^n))
	}
	return appendHead(dst, majorUint, uint64(n))
}

// readHead reads the head at data[i] and returns where its content begins. Not
// ok is a head that is cut off, of indefinite length, reserved or longer than
// need be. It is not for major type 7, where the argument is a float.
func readHead(data []byte, i int) (major byte, arg uint64, next int, ok bool) {
	if i >= len(data) {
		return 0, 0, 0, false
	}
	major, info, rest := data[i]&0xe0, data[i]&0x1f, data[i+1:]
	switch {
	case info < 24:
		return major, uint64(info), i + 1, true
	case info == 24 && len(rest) >= 1:
		arg = uint64(rest[0])
		return major, arg, i + 2, arg >= 24
	case info == 25 && len(rest) >= 2:
		arg = uint64(binary.BigEndian.Uint16(rest))
		return major, arg, i + 3, arg > math.MaxUint8
	case info == 26 && len(rest) >= 4:
		arg = uint64(binary.BigEndian.Uint32(rest))
		return major, arg, i + 5, arg > math.MaxUint16
	case info == 27 && len(rest) >= 8:
		arg = binary.BigEndian.Uint64(rest)
		return major, arg, i + 9, arg > math.MaxUint32
	}
	return 0, 0, 0, false
}

// appendFloat writes f in the shortest of the three sizes that loses nothing.
func appendFloat(dst []byte, f float64) []byte {
	if f != f {
		return binary.BigEndian.AppendUint16(append(dst, float16), halfNaN)
	}
	single := float32(f)
	if float64(single) != f {
		return binary.BigEndian.AppendUint64(append(dst, float64Bits), math.Float64bits(f))
	}
	if half, ok := halfFromSingle(single); ok {
		return binary.BigEndian.AppendUint16(append(dst, float16), half)
	}
	return binary.BigEndian.AppendUint32(append(dst, float32Bits), math.Float32bits(single))
}

// halfFromSingle returns the bits of f as a 16-bit float, or not ok if that
// would lose something. f is not NaN.
func halfFromSingle(f float32) (half uint16, ok bool) {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	exponent := int(bits>>23&0xff) - 127
	fraction := bits & (1<<23 - 1)
	switch {
	case exponent == 128: // infinity
		return sign | 0x7c00, true
	case exponent >= -14 && exponent <= 15:
		return sign | uint16(exponent+15)<<10 | uint16(fraction>>13), fraction&(1<<13-1) == 0
	case exponent >= -24 && exponent < -14: // subnormal as a half: a multiple of 2^-24
		shift := uint(-1 - exponent)
		fraction |= 1 << 23
		return sign | uint16(fraction>>shift), fraction&(1<<shift-1) == 0
	}
	return sign, bits<<1 == 0
}

// floatFromHalf widens the bits of a 16-bit float; no value is lost.
func floatFromHalf(half uint16) float64 {
	sign := uint64(half&0x8000) << 48
	exponent := uint64(half >> 10 & 0x1f)
	fraction := uint64(half & 0x3ff)
	switch exponent {
	case 0:
		return math.Float64frombits(math.Float64bits(float64(fraction)*0x1p-24) | sign)
	case 0x1f:
		return math.Float64frombits(sign | 0x7ff<<52 | fraction<<42)
	}
	return math.Float64frombits(sign | (exponent+1023-15)<<52 | fraction<<42)
}

// isASCII reports whether s is ASCII, as most texts are, in words of eight bytes,
// the last of which may overlap. What it denies may still be UTF-8.
func isASCII[T string | []byte](s T) bool {
	var seen uint64
	switch n := len(s); {
	case n >= 8:
		seen = word(s[n-8:])
		for ; len(s) > 8; s = s[8:] {
			seen |= word(s)
		}
	case n >= 4:
		seen = uint64(halfWord(s) | halfWord(s[n-4:]))
	default:
		for i := range n {
			seen |= uint64(s[i])
		}
	}
	return seen&0x8080808080808080 == 0
}

// word is the first eight bytes of s as a big-endian number; halfWord the first
// four. The compiler makes one load of each.
func word[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0])<<56 | uint64(s[1])<<48 | uint64(s[2])<<40 | uint64(s[3])<<32 |
		uint64(s[4])<<24 | uint64(s[5])<<16 | uint64(s[6])<<8 | uint64(s[7])
}

func halfWord[T string | []byte](s T) uint32 {
	_ = s[3]
	return uint32(s[0])<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3])
}
