package peers

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/rockstar-web/sessions/cachestore/redis"
	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

const (
	redisRecords = 1024
	redisCallers = 64
	redisSealed  = 300 // bytes
	redisRounds  = 61
)

var redisPools = []int{8, 16, 64} // connections of the peer

// peerCAS is the least that a store by plain commands could do for a save: no
// index, no answer to a repeated save.
var peerCAS = goredis.NewScript(`
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return 1`)

// redisBench is a store with records, and values of the same size as a peer
// keeps them.
type redisBench struct {
	ctx      context.Context
	store    *redis.Store
	cached   *redis.Store
	url      string
	prefix   string
	peers    []*goredis.Client // with pools of different sizes
	records  []core.Record
	keys     []string
	values   [][]byte
	expires  string
	versions []uint64 // of the peer's values
	fails    sync.Once
	b        *testing.B
}

// newRedisBench has contexts that can be cancelled, as those of requests can.
func newRedisBench(b *testing.B) *redisBench {
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	x := &redisBench{ctx: ctx, b: b, url: servers.Redis(b), versions: make([]uint64, redisRecords)}
	x.prefix = fmt.Sprintf("bench-%d:", time.Now().UnixNano())
	x.store, x.cached = x.open(redis.Options{}), x.open(redis.Options{Cache: time.Minute})
	for _, size := range redisPools {
		x.peers = append(x.peers, x.peer(size))
	}
	soon := time.Now().Add(time.Hour)
	x.expires = fmt.Sprint(soon.UnixMilli())
	for i := range redisRecords {
		r := core.Record{Version: core.Version(i + 1), Tenant: "acme", User: fmt.Sprint("user-", i), ExpiresAt: core.Time(soon.UnixMilli()), Sealed: bytes.Repeat([]byte{byte(i)}, redisSealed)}
		binary.BigEndian.PutUint64(r.ID[:], rand.Uint64())
		binary.BigEndian.PutUint64(r.ID[8:], uint64(i+1))
		x.records = append(x.records, r)
		require.NoError(b, x.store.Save(ctx, r, core.NoVersion))
		x.keys = append(x.keys, fmt.Sprintf("%speer:%x", x.prefix, r.ID))
		x.values = append(x.values, append(make([]byte, 63), append([]byte(r.Tenant+r.User), r.Sealed...)...))
		require.NoError(b, x.peers[0].Set(ctx, x.keys[i], x.values[i], time.Hour).Err())
	}
	b.Cleanup(x.clean)
	return x
}

func (x *redisBench) open(o redis.Options) *redis.Store {
	o.Prefix = x.prefix
	s, err := redis.Open(x.ctx, x.url, o)
	require.NoError(x.b, err)
	x.b.Cleanup(func() { require.NoError(x.b, s.Close()) })
	return s
}

// peer is a client with a pool of so many connections.
func (x *redisBench) peer(size int) *goredis.Client {
	o, err := goredis.ParseURL(x.url)
	require.NoError(x.b, err)
	o.PoolSize = size
	c := goredis.NewClient(o)
	x.b.Cleanup(func() { require.NoError(x.b, c.Close()) })
	return c
}

func (x *redisBench) clean() {
	ctx := context.Background()
	for i, r := range x.records {
		require.NoError(x.b, x.store.Delete(ctx, r.ID))
		require.NoError(x.b, x.peers[0].Del(ctx, x.keys[i]).Err())
	}
}

// check reports the first error only: there may be thousands.
func (x *redisBench) check(err error) {
	if err != nil {
		x.fails.Do(func() { x.b.Error(err) })
	}
}

// by has callers share the calls. Each has records of its own, so that no save
// meets another's.
func (x *redisBench) by(callers, calls int, call func(record int)) func() {
	return func() {
		var all sync.WaitGroup
		for c := range callers {
			all.Go(func() {
				for n := range calls / callers {
					call((n*callers + c) % redisRecords)
				}
			})
		}
		all.Wait()
	}
}

func (x *redisBench) load(s *redis.Store) func(int) {
	return func(i int) {
		r, err := s.Load(x.ctx, x.records[i].ID)
		x.check(err)
		if len(r.Sealed) != redisSealed {
			x.check(fmt.Errorf("%d sealed bytes", len(r.Sealed)))
		}
	}
}

func (x *redisBench) save(s *redis.Store) func(int) {
	return func(i int) {
		next := x.records[i]
		next.Version++
		next.SeenAt++
		x.check(s.Save(x.ctx, next, x.records[i].Version))
		x.records[i] = next
	}
}

func (x *redisBench) peerLoad(p *goredis.Client) func(int) {
	return func(i int) {
		v, err := p.Get(x.ctx, x.keys[i]).Bytes()
		x.check(err)
		if len(v) != len(x.values[i]) {
			x.check(fmt.Errorf("%d bytes", len(v)))
		}
	}
}

func (x *redisBench) peerSave(p *goredis.Client) func(int) {
	return func(i int) {
		was := binary.BigEndian.AppendUint64(nil, x.versions[i])
		x.versions[i]++
		binary.BigEndian.PutUint64(x.values[i], x.versions[i])
		n, err := peerCAS.Run(x.ctx, p, []string{x.keys[i]}, was, x.values[i], x.expires).Int()
		x.check(err)
		if n != 1 {
			x.check(fmt.Errorf("the peer's save meets another"))
		}
	}
}

// against prints how much faster ours is than the peer with the pool that suits
// it best.
func (x *redisBench) against(name string, target float64, callers, calls int, ours func(int), theirs func(*goredis.Client) func(int)) {
	var peers []func()
	for _, p := range x.peers {
		peers = append(peers, x.by(callers, calls, theirs(p)))
	}
	best := 0
	pools := ratio.Interleave(redisRounds/3, peers...)
	for i := range pools {
		if pools[i] < pools[best] {
			best = i
		}
	}
	times := ratio.Interleave(redisRounds, x.by(callers, calls, ours), peers[best])
	ratio.Print(name, float64(times[1])/float64(times[0]), target, true)
	x.b.Logf("%s: %v a call; go-redis with %d connections %v", name, times[0]/time.Duration(calls), redisPools[best], times[1]/time.Duration(calls))
}

// alone compares a lone caller, over several connections in turn.
func (x *redisBench) alone(name string, ours func(*redis.Store) func(int), theirs func(*goredis.Client) func(int)) {
	const connections, calls = 8, 100
	times := ratio.Interleave(20*connections+1,
		ratio.InTurn(connections, func() func() { return x.by(1, calls, ours(x.open(redis.Options{}))) }),
		ratio.InTurn(connections, func() func() { return x.by(1, calls, theirs(x.peer(1))) }))
	ratio.Print(name, float64(times[1])/float64(times[0]), 0.9, true)
	x.b.Logf("%s: %v a call; go-redis %v", name, times[0]/calls, times[1]/calls)
}

// Ours against go-redis with one command for each call, whose pool is of the
// size that suits it best.
func BenchmarkRatioRedis(b *testing.B) {
	if b.N > 1 {
		return // a ratio is measured once, in rounds of its own
	}
	x := newRedisBench(b)
	x.against("redis-load-64", 3, redisCallers, 3200, x.load(x.store), x.peerLoad)
	x.against("redis-save-64", 3, redisCallers, 1600, x.save(x.store), x.peerSave)
	x.alone("redis-load-1", x.load, x.peerLoad)
	x.alone("redis-save-1", x.save, x.peerSave)

	const calls = 12800
	times := ratio.Interleave(redisRounds, x.by(redisCallers, calls, x.load(x.cached)), x.by(redisCallers, calls, x.load(x.store)))
	ratio.Print("redis-load-cached", float64(times[1])/float64(times[0]), 5, true)
	b.Logf("cached %v a call, uncached %v", times[0]/calls, times[1]/calls)
}
