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
	shardCount = 256 // by the first byte of the ID
	indexName  = "index"

	byID    = "i" // begins an entry of ID and owner
	byOwner = "o" // begins an entry of owner and ID

	ownerSize = 16
	idSize    = 2 * len(core.ID{}) // in hex
)

// shard is the names of the keys that share a hash tag, and so a node.
type shard struct {
	base  string // of its records: the prefix and the tag
	index string
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

// nameOf is the ID in hex, which is in the order of the bytes.
func nameOf(id core.ID) string { return hex.EncodeToString(id[:]) }

// owner stands for a user and a tenant in the index: 8 bytes of the hash of
// each. Those of the user are zero for nobody. An owner that meets another's is
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

// entry is what the index says of a session.
type entry struct {
	id    core.ID
	owner owner
}

// readEntry reads an entry of either kind.
func readEntry(text string) (e entry, ok bool) {
	if len(text) != 1+idSize+ownerSize {
		return e, false
	}
	name, of := text[1:1+idSize], text[1+idSize:]
	if text[:1] == byOwner {
		of, name = text[1:1+ownerSize], text[1+ownerSize:]
	}
	copy(e.owner[:], of)
	_, err := hex.Decode(e.id[:], []byte(name))
	return e, err == nil
}

// may reports whether q can select a session of this owner.
func (o owner) may(q *hosts.Query, asked owner) bool {
	return (q.AnyUser || [8]byte(o[:8]) == [8]byte(asked[:8])) &&
		(q.AnyTenant || [8]byte(o[8:]) == [8]byte(asked[8:]))
}
