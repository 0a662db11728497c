package core

import "time"

// Seconds that a time may have: the years 1 to 9999 in UTC, which any database
// column and any other language can hold. The zero time is the first of them.
const (
	minUnix   int64 = -62135596800
	maxUnix   int64 = 253402300799
	maxOffset       = 24*60*60 - 1 // of a zone, in seconds either way
	maxNanos        = 1e9 - 1
)

func validTime(seconds, nanos, offset int64) error {
	if seconds < minUnix || seconds > maxUnix || nanos < 0 || nanos > maxNanos || offset < -maxOffset || offset > maxOffset {
		return ErrTime
	}
	return nil
}

// appendTime writes the moment and the offset of its zone. A zone's name is
// not kept: it means something only together with a zone database.
func appendTime(dst []byte, t time.Time) ([]byte, error) {
	_, offset := t.Zone()
	seconds, nanos := t.Unix(), int64(t.Nanosecond())
	if err := validTime(seconds, nanos, int64(offset)); err != nil {
		return dst, err
	}
	dst = appendHead(dst, majorTag, tagTime)
	dst = appendHead(dst, majorArray, 3)
	dst = appendInt(dst, seconds)
	dst = appendInt(dst, nanos)
	return appendInt(dst, int64(offset)), nil
}

// clockTime is a time as it is stored.
type clockTime struct{ seconds, nanos, offset int64 }

// readTime reads what follows the tag of a time.
func readTime(data []byte, i int) (c clockTime, next int, err error) {
	major, n, i, ok := readHead(data, i)
	if !ok || major != majorArray || n != 3 {
		return c, 0, ErrBadValue
	}
	for _, field := range []*int64{&c.seconds, &c.nanos, &c.offset} {
		if *field, i, ok = readInt(data, i); !ok {
			return c, 0, ErrBadValue
		}
	}
	return c, i, validTime(c.seconds, c.nanos, c.offset)
}

func (c clockTime) time() time.Time {
	t := time.Unix(c.seconds, c.nanos)
	if c.offset == 0 {
		return t.UTC()
	}
	return t.In(time.FixedZone("", int(c.offset)))
}
