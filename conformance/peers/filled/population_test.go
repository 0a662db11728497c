package filled

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
)

const (
	sealed    = 300     // bytes of a record
	crowd     = 1000    // sessions of the one user who has many
	anonymous = 20      // one session in so many has no user
	tenants   = 10      // that the users belong to
	later     = 1 << 40 // the first number of a session that is made while measuring
)

// noise is what sealed bytes are cut from: they do not compress.
var noise = func() []byte {
	var seed [32]byte
	b := make([]byte, 1<<20)
	rand.NewChaCha8(seed).Read(b)
	return b
}()

// mix spreads numbers over all of them, each to another (splitmix64).
func mix(n uint64) uint64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// stock is what is stored in one place: sessions that follow from their number,
// so that nobody needs to remember a million of them.
type stock struct {
	size     int            // planned, to which the owners belong
	stored   int            // of the numbers 0 to size
	versions []core.Version // of those
	made     atomic.Uint64  // of the sessions that came while measuring
	began    core.Time
}

func newStock(size int) *stock {
	return &stock{size: size, versions: make([]core.Version, size), began: core.Time(time.Now().UnixMilli())}
}

// soon is when all sessions that came while measuring have expired, and none of
// those that were there.
func (s *stock) soon() core.Time { return s.began + core.Day }

// owner of a session. One in twenty has none, one user has a thousand, the
// others have one to five: of fifteen sessions in a row five users.
func (s *stock) owner(n int) (tenant, user string) {
	if every := s.size / min(crowd, s.size/4); n%every == 0 {
		return "tenant-0", "crowd"
	}
	if mix(uint64(n))%anonymous == 0 {
		return "tenant-0", ""
	}
	at := int(uint64(n) * 1000003 % uint64(s.size)) // who came one after the other is not stored so
	u := at / 15 * 5
	for left := at % 15; left > (u % 5); u++ {
		left -= u%5 + 1
	}
	return "tenant-" + strconv.Itoa(u%tenants), "user-" + strconv.Itoa(u)
}

// id is that of a session's number.
func id(n int) (id core.ID) {
	at := mix(uint64(n) + 1)
	binary.BigEndian.PutUint64(id[:], at)
	binary.BigEndian.PutUint64(id[8:], mix(at))
	return id
}

// first is the version that a session has at first.
func first(n int) core.Version { return core.Version(mix(uint64(n)+1)>>2 | 1) }

// record is the session of a number, as it was stored first.
func (s *stock) record(n int) core.Record {
	at := mix(uint64(n) + 1)
	r := core.Record{ID: id(n), Version: first(n), CreatedAt: s.began - core.Day, SeenAt: s.began,
		ExpiresAt: s.began + 2*core.Day + core.Time(at%uint64(28*core.Day)), Sealed: bytesAt(at)}
	r.Tenant, r.User = s.owner(n % s.size)
	return r
}

func bytesAt(n uint64) []byte {
	at := n % uint64(len(noise)-sealed)
	return noise[at : at+sealed : at+sealed]
}

// fresh is a session that nobody has stored, and that expires soon.
func (s *stock) fresh() core.Record {
	r := s.record(later + int(s.made.Add(1)))
	r.ExpiresAt = s.began + core.Hour
	return r
}

// any is a stored session that this caller alone changes.
func (s *stock) any(caller, callers int) int {
	n := rand.IntN(max(s.stored/callers, 1))*callers + caller
	return n % s.stored
}

// next is the state of a session that follows: only used, or also changed.
func (s *stock) next(n int, touched bool) (r core.Record, prev core.Version) {
	r, prev = s.record(n), s.versions[n]
	r.Version = prev + 1
	since := core.Time(1+prev%1000) * core.Second
	r.SeenAt, r.ExpiresAt = r.SeenAt+since, r.ExpiresAt+since
	if !touched {
		r.Sealed = bytesAt(mix(uint64(r.Version)))
	}
	return r, prev
}
