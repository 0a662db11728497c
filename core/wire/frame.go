package wire

import (
	"encoding/binary"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/internal/unpack"
)

// Version is of the frames and of what the guest exports; a host refuses a
// guest of another.
const Version = 3

// Bounds of frames, in bytes.
const (
	MaxFrame    = 5 << 20 // a request: two sessions of the largest size, whose values stand apart, and room
	MaxMachines = 16      // that one guest keeps
	maxList     = 1 << 16 // entries of a list
)

// The verbs.
const (
	OpConfigure byte = iota + 1
	OpIdentify
	OpNew
	OpResume
	OpApply
	OpCommit
	OpRebase
	OpFold
	OpApplied
	OpCookie
	OpClearCookie
	OpInspect
	OpKeepID
	OpQuiet
	OpCheckStamp
	ops
)

// The status of a reply.
const (
	StatusOK             byte = iota
	StatusRefused             // reason 1, flag recent 1, lp2(text): the visitor does not get the session
	StatusError               // code 1, lp2(text): see CodeName
	StatusTooLarge            // lp2(name) size 4 limit 4: a value is too large for the session
	StatusPolicy              // lp2(field) lp2(value) lp2(allowed): the policy is refused
	StatusMalformed           // the frame is none
	StatusUnknownOp           // the verb is not known
	StatusUnknownMachine      // no machine of that number is configured
	StatusConflict            // lp2(name): a value was changed by another request
)

// Errors of frames.
var (
	ErrMalformed = errors.New("wire: malformed frame")
	ErrOp        = errors.New("wire: the guest does not know the verb")
	ErrMachine   = errors.New("wire: the guest has no machine of that number")
)

// reader takes a frame apart.
type reader struct{ unpack.Reader }

func (r *reader) flag() bool {
	b := r.Byte()
	r.Bad = r.Bad || b > 1
	return b == 1
}

func (r *reader) time() core.Time { return core.Time(r.Uint64()) }

// count reads how many entries follow, each of at least least bytes.
func (r *reader) count(least int) int {
	n := r.Uint32()
	if r.Bad || n > maxList || uint64(n)*uint64(least) > uint64(len(r.Rest)) {
		r.Bad = true
		return 0
	}
	return int(n)
}

func (r *reader) strings() []string {
	n := r.count(4)
	list := make([]string, 0, n)
	for range n {
		list = append(list, string(r.Long()))
	}
	return list
}

func (r *reader) id() (id core.ID) {
	copy(id[:], r.Take(len(id)))
	return id
}

func (r *reader) seed() (s core.Seed) {
	copy(s[:], r.Take(len(s)))
	return s
}

// end reports whether the frame was whole and nothing stands behind it.
func (r *reader) end() bool { return !r.Bad && len(r.Rest) == 0 }

func (r *reader) ticket() core.Ticket {
	if r.Bad {
		return core.Ticket{}
	}
	t, rest, err := core.ReadTicket(r.Rest)
	r.Rest, r.Bad = rest, err != nil
	return t
}

func (r *reader) request() core.Request {
	if r.Bad {
		return core.Request{}
	}
	q, rest, err := core.ReadRequest(r.Rest)
	r.Rest, r.Bad = rest, err != nil
	return q
}

func (r *reader) session(m *core.Machine) *core.Session {
	if r.Bad {
		return nil
	}
	s, rest, err := m.ReadSession(r.Rest)
	r.Rest, r.Bad = rest, err != nil
	return s
}

func (r *reader) record() core.Record {
	q := core.Record{ID: r.id(), Version: core.Version(r.Uint64()), CreatedAt: r.time(), SeenAt: r.time(), ExpiresAt: r.time()}
	q.Tenant, q.User, q.Sealed = string(r.Short()), string(r.Short()), r.Long()
	return q
}

var le = binary.LittleEndian

func appendShort(dst []byte, s string) []byte {
	s = s[:min(len(s), 1<<16-1)]
	return append(le.AppendUint16(dst, uint16(len(s))), s...)
}

func appendLong[T string | []byte](dst []byte, b T) []byte {
	return append(le.AppendUint32(dst, uint32(len(b))), b...)
}

func appendFlag(dst []byte, on bool) []byte {
	if on {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendStrings(dst []byte, list []string) []byte {
	dst = le.AppendUint32(dst, uint32(len(list)))
	for _, s := range list {
		dst = appendLong(dst, s)
	}
	return dst
}

func appendTime(dst []byte, t core.Time) []byte { return le.AppendUint64(dst, uint64(t)) }

func appendRecord(dst []byte, r *core.Record) []byte {
	dst = append(dst, r.ID[:]...)
	dst = le.AppendUint64(dst, uint64(r.Version))
	dst = appendTime(appendTime(appendTime(dst, r.CreatedAt), r.SeenAt), r.ExpiresAt)
	return appendLong(appendShort(appendShort(dst, r.Tenant), r.User), r.Sealed)
}

// AppendRecord appends a record as frames carry it: ID 16 | version 8 | created
// 8 | seen 8 | expires 8 | lp2(tenant) | lp2(user) | lp4(sealed).
func AppendRecord(dst []byte, r *core.Record) []byte { return appendRecord(dst, r) }

// ReadRecord returns the record that AppendRecord wrote; ErrMalformed unless it
// is all of b. It lies in b.
func ReadRecord(b []byte) (core.Record, error) {
	r := &reader{unpack.Reader{Rest: b}}
	rec := r.record()
	if !r.end() {
		return core.Record{}, ErrMalformed
	}
	return rec, nil
}
