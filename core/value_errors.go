package core

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
