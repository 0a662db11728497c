package migrate

import "encoding/binary"

// uint reads gob's unsigned integer: one byte, or the negated number of bytes that
// follow.
func (w *wire) uint() uint64 {
	first := w.take(1)
	if w.bad {
		return 0
	}
	if first[0] < 0x80 {
		return uint64(first[0])
	}
	var number [8]byte
	n := -int(int8(first[0]))
	if n > len(number) {
		w.bad = true
		return 0
	}
	copy(number[len(number)-n:], w.take(n))
	return binary.BigEndian.Uint64(number[:])
}

// int reads gob's signed integer, whose lowest bit is the sign.
func (w *wire) int() int {
	u := w.uint()
	if u&1 != 0 {
		return int(^int64(u >> 1))
	}
	return int(u >> 1)
}

// count reads how many bytes or elements follow. Each takes a byte at least.
func (w *wire) count() int {
	n := w.uint()
	if n > uint64(len(w.in)) {
		w.bad = true
		return 0
	}
	return int(n)
}

func (w *wire) take(n int) []byte {
	if w.bad || n > len(w.in) {
		w.bad = true
		return nil
	}
	taken := w.in[:n:n]
	w.in = w.in[n:]
	return taken
}

func appendUint(out []byte, n int) []byte {
	if n < 0x80 {
		return append(out, byte(n))
	}
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(n))
	return append(append(out, byte(-len(number)&0xff)), number[:]...)
}

func appendInt(out []byte, n int) []byte { return appendUint(out, n<<1) }

func appendString(out []byte, s string) []byte { return append(appendUint(out, len(s)), s...) }

func appendMessage(out, message []byte) []byte {
	return append(appendUint(out, len(message)), message...)
}
