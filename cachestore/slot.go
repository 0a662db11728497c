package cachestore

import (
	"encoding/binary"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// A slot holds one record and its places in the indexes, without a pointer:
// a header, then tenant, user and the sealed bytes.
type slot []byte

// Offsets in the header.
const (
	offID      = 0
	offVersion = 16
	offCreated = 24
	offSeen    = 32
	offExpires = 40
	offPlace   = 48 // in the shard's heap of expiries
	offLeft    = 52 // below it in the tree of the user's sessions in this shard
	offRight   = 56
	offSealed  = 60 // length
	offTenant  = 64 // length
	offUser    = 65 // length
	headerSize = 66
)

// The lengths of names are kept in a byte; this line does not compile if they outgrow it.
const _ = uint8(core.MaxName)

const maxRecord = headerSize + 2*core.MaxName + core.MaxSealed

func recordSize(r *core.Record) int {
	return headerSize + len(r.Tenant) + len(r.User) + len(r.Sealed)
}

// write copies r into the slot and leaves the places in the indexes alone.
func (s slot) write(r *core.Record) {
	le := binary.LittleEndian
	copy(s[offID:], r.ID[:])
	le.PutUint64(s[offVersion:], uint64(r.Version))
	le.PutUint64(s[offCreated:], uint64(r.CreatedAt))
	le.PutUint64(s[offSeen:], uint64(r.SeenAt))
	le.PutUint64(s[offExpires:], uint64(r.ExpiresAt))
	le.PutUint32(s[offSealed:], uint32(len(r.Sealed)))
	s[offTenant], s[offUser] = byte(len(r.Tenant)), byte(len(r.User))
	n := headerSize
	n += copy(s[n:], r.Tenant)
	n += copy(s[n:], r.User)
	copy(s[n:], r.Sealed)
}

// record returns a copy that stays what it is when the slot is written. The two
// names share one string, so that it costs an allocation for them and one for
// Sealed, which is spared where it has a slab of its own.
func (s slot) record() core.Record {
	names := string(s[headerSize:s.namesEnd()])
	sealed := s[s.namesEnd():s.size():s.size()]
	if !single(classOf(len(s))) {
		sealed = append([]byte{}, sealed...)
	}
	return core.Record{
		ID:        s.id(),
		Version:   s.version(),
		Tenant:    names[:s[offTenant]],
		User:      names[s[offTenant]:],
		CreatedAt: core.Time(binary.LittleEndian.Uint64(s[offCreated:])),
		SeenAt:    core.Time(binary.LittleEndian.Uint64(s[offSeen:])),
		ExpiresAt: s.expires(),
		Sealed:    sealed,
	}
}

// matches is hosts.Query.Matches without building a record.
func (s slot) matches(q *hosts.Query) bool {
	return (q.AnyTenant || string(s.tenant()) == q.Tenant) &&
		(q.AnyUser || string(s.user()) == q.User) &&
		(q.ExpiresBefore == 0 || s.expires() < q.ExpiresBefore)
}

func (s slot) key() []byte           { return s[offID:offVersion] }
func (s slot) id() core.ID           { return core.ID(s[offID:offVersion]) }
func (s slot) version() core.Version { return core.Version(binary.LittleEndian.Uint64(s[offVersion:])) }
func (s slot) expires() core.Time    { return core.Time(binary.LittleEndian.Uint64(s[offExpires:])) }
func (s slot) tenant() []byte        { return s[headerSize:][:s[offTenant]] }
func (s slot) user() []byte          { return s[headerSize+int(s[offTenant]):][:s[offUser]] }
func (s slot) namesEnd() int         { return headerSize + int(s[offTenant]) + int(s[offUser]) }
func (s slot) size() int {
	return s.namesEnd() + int(binary.LittleEndian.Uint32(s[offSealed:]))
}

func (s slot) place() int     { return int(binary.LittleEndian.Uint32(s[offPlace:])) }
func (s slot) setPlace(i int) { binary.LittleEndian.PutUint32(s[offPlace:], uint32(i)) }
func (s slot) left() ref      { return ref(binary.LittleEndian.Uint32(s[offLeft:])) }
func (s slot) setLeft(r ref)  { binary.LittleEndian.PutUint32(s[offLeft:], uint32(r)) }
func (s slot) right() ref     { return ref(binary.LittleEndian.Uint32(s[offRight:])) }
func (s slot) setRight(r ref) { binary.LittleEndian.PutUint32(s[offRight:], uint32(r)) }
