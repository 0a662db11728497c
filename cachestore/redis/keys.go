package redis

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// The key layout is in the package documentation.
const (
	shardCount  = 256 // by the first byte of the ID
	bucketCount = 64  // of each shard
	indexName   = "index"

	spanSize = 3 // of a span in the directory, bytes

	ownerSize = 16                 // in a record
	shortSize = 8                  // in an entry
	tailSize  = len(core.ID{}) - 1 // the ID without the byte that the shard tells
	entrySize = shortSize + tailSize
	idSize    = 2 * len(core.ID{}) // in the name of a record, in hex
)

// shard is the names of the keys that share a hash tag, and so a node.
type shard struct {
	base  string // of its records: the prefix and the tag
	index string // its directory; with a number behind it, a bucket
}

func shardsOf(prefix string) *[shardCount]shard {
	var all [shardCount]shard
	for i := range all {
		base := fmt.Sprintf("%s{%02x}:", prefix, i)
		all[i] = shard{base, base + indexName}
	}
	return &all
}

func (s *shard) record(id core.ID) string {
	b := make([]byte, len(s.base), len(s.base)+idSize)
	copy(b, s.base)
	return rueidis.BinaryString(hex.AppendEncode(b, id[:]))
}

// bucket names a bucket by a printable character, from 0 to o.
func (s *shard) bucket(n byte) string { return s.index + ":" + string(rune('0'+n)) }

// owner stands for a user and a tenant in a record: 8 bytes of the hash of each.
// Those of the user are zero for nobody. An owner that meets another's is
// harmless: whatever the index finds is held to the query again.
type owner [ownerSize]byte

func ownerOf(tenant, user string) (o owner) {
	if user != "" {
		h := sha256.Sum256([]byte(user))
		copy(o[:8], h[:])
		if [8]byte(o[:8]) == [8]byte{} {
			o[0] = 1
		}
	}
	h := sha256.Sum256([]byte(tenant))
	copy(o[8:], h[:])
	return o
}

// short is half of the owner: the index has four bytes of each hash.
func (o owner) short() (s shortOwner) {
	copy(s[:4], o[:4])
	copy(s[4:], o[8:])
	return s
}

// bucket is where the index has a session: with the others of its user, and one
// of nobody's by its ID.
func (o owner) bucket(id core.ID) byte {
	if [8]byte(o[:8]) == [8]byte{} {
		return id[1] % bucketCount
	}
	return o[0] % bucketCount
}

type shortOwner [shortSize]byte

// may reports whether q can select a session of this owner.
func (s shortOwner) may(q *hosts.Query, asked shortOwner) bool {
	return (q.AnyUser || [4]byte(s[:4]) == [4]byte(asked[:4])) &&
		(q.AnyTenant || [4]byte(s[4:]) == [4]byte(asked[4:]))
}

// place is a bucket of a shard.
type place struct {
	shard  int
	bucket byte
}

// entry is what the index says of a session.
type entry struct {
	owner  shortOwner
	id     core.ID
	bucket byte
}

func (e *entry) text() string {
	return string(append(append(make([]byte, 0, entrySize), e.owner[:]...), e.id[1:]...))
}

// readEntry reads an entry of a bucket.
func readEntry(from place, text string) (e entry, ok bool) {
	if len(text) != entrySize {
		return e, false
	}
	copy(e.owner[:], text)
	e.id[0], e.bucket = byte(from.shard), from.bucket
	copy(e.id[1:], text[shortSize:])
	return e, true
}
