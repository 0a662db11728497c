package values

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

// encoded keeps values as a session does: as bytes.
type encoded map[string][]byte

func put[T any](s encoded, name string, v T) error {
	plain, err := Plain(name, v)
	if err != nil {
		return err
	}
	data, err := Encode(name, plain)
	if err == nil {
		s[name] = data
	}
	return err
}

func get[T any](s encoded, name string) (T, error) {
	v, err := core.DecodeValue(s[name])
	if err != nil {
		var none T
		return none, err
	}
	return As[T](name, v)
}

type (
	userID  string
	role    int
	digest  [4]byte
	raw     []byte
	timeout time.Duration
	stamp   time.Time
	weekday uint8
)

type address struct {
	Street string `session:"street"`
	Zip    *string
	Note   string `session:"-"`
	cached int
}

type embedded struct{ Deep int8 }

type account struct {
	ID      userID
	Roles   []role
	Home    *address
	Others  []address
	ByName  map[userID]*address
	Since   time.Time
	Idle    time.Duration
	Limit   timeout
	Visits  uint32
	Balance int64
	Ratio   float32
	Token   raw
	Hash    digest
	Days    [2]weekday
	Tags    []string
	Counts  map[string]int
	Free    any
	Self    *account
	embedded
	Embedded embedded
}

func roundTrip[T any](t *testing.T, v T) {
	t.Helper()
	s := encoded{}
	require.NoError(t, put(s, "v", v))
	got, err := get[T](s, "v")
	require.NoError(t, err)
	require.Equal(t, v, got)
}

func TestValuesComeBackAsTheirType(t *testing.T) {
	roundTrip(t, true)
	roundTrip(t, 42)
	roundTrip(t, int64(math.MinInt64))
	roundTrip(t, uint64(math.MaxUint64))
	roundTrip(t, 1.5)
	roundTrip(t, "text\xff")
	roundTrip(t, []byte{1, 2})
	roundTrip(t, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	roundTrip(t, time.Minute)
	roundTrip(t, []string{"a"})
	roundTrip(t, []int{1})
	roundTrip(t, []any{1, int64(2), "x", nil})
	roundTrip(t, map[string]string{"a": "b"})
	roundTrip(t, map[string]any{"a": []any{}})
	roundTrip[any](t, "behind an interface")
	roundTrip[any](t, nil)

	roundTrip(t, userID("u1"))
	roundTrip(t, role(7))
	roundTrip(t, digest{1, 2, 3, 4})
	roundTrip(t, raw("raw"))
	roundTrip(t, timeout(time.Second))
	roundTrip(t, weekday(6))
	roundTrip(t, stamp(time.Unix(5, 6).UTC()))
	roundTrip(t, int8(math.MinInt8))
	roundTrip(t, uint(math.MaxUint))
	roundTrip(t, float32(0.1))
	roundTrip(t, []userID{"a", "b"})
	roundTrip(t, []role{})
	roundTrip(t, map[userID]role{"a": 1})
	roundTrip(t, (*address)(nil))
	roundTrip(t, struct{}{})
}

func TestStructsComeBack(t *testing.T) {
	zip := "1010"
	a := account{
		ID: "u1", Roles: []role{1, 2}, Home: &address{Street: "Main", Zip: &zip},
		Others: []address{{Street: "Side"}}, ByName: map[userID]*address{"x": {Street: "X"}, "none": nil},
		Since: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Idle: time.Hour, Limit: timeout(time.Second), Visits: math.MaxUint32,
		Balance: -1 << 40, Ratio: 0.1, Token: raw("t"), Hash: digest{9}, Days: [2]weekday{1, 2}, Tags: []string{"a"},
		Counts: map[string]int{"n": 1}, Free: []any{"x", 1}, Self: &account{
			Roles: []role{}, Others: []address{}, ByName: map[userID]*address{}, Token: raw{}, Tags: []string{}, Counts: map[string]int{},
		},
		Embedded: embedded{Deep: -8},
	}
	a.Self.Since = time.Unix(0, 0).UTC()
	roundTrip(t, a)
	roundTrip(t, &a)
	roundTrip(t, []*account{&a, nil})
	roundTrip(t, map[string]account{"a": a})

	left := address{Street: "s", Note: "left out", cached: 1}
	s := encoded{}
	require.NoError(t, put(s, "v", left))
	got, err := get[address](s, "v")
	require.NoError(t, err)
	require.Equal(t, address{Street: "s"}, got)
	stored, err := core.DecodeValue(s["v"])
	require.NoError(t, err)
	require.Equal(t, map[string]any{"street": "s", "Zip": nil}, stored)
}

func TestATypeMayGrow(t *testing.T) {
	type before struct{ Name, Gone string }
	type after struct {
		Name string
		New  []int
	}
	s := encoded{}
	require.NoError(t, put(s, "v", before{"n", "g"}))
	got, err := get[after](s, "v")
	require.NoError(t, err)
	require.Equal(t, after{Name: "n"}, got)
}

func TestNumbersAreConvertedWithoutLoss(t *testing.T) {
	s := encoded{}
	require.NoError(t, put(s, "int", 300))
	require.NoError(t, put(s, "negative", -1))
	require.NoError(t, put(s, "int64", int64(1)<<40))
	require.NoError(t, put(s, "uint64", uint64(1)<<63))
	require.NoError(t, put(s, "float", 1e300))
	require.NoError(t, put(s, "duration", time.Second))

	requireGet(t, s, "int", int64(300))
	requireGet(t, s, "int", uint64(300))
	requireGet(t, s, "int", uint16(300))
	requireGet(t, s, "int64", uint64(1)<<40)
	requireGet(t, s, "int64", timeout(1<<40))

	requireNotGet[int8](t, s, "int", "stored as int, wanted as int8")
	requireNotGet[weekday](t, s, "int", "stored as int, wanted as values.weekday")
	requireNotGet[uint64](t, s, "negative", "stored as int, wanted as uint64")
	requireNotGet[int32](t, s, "int64", "stored as int64, wanted as int32")
	requireNotGet[int64](t, s, "uint64", "stored as uint64, wanted as int64")
	requireNotGet[float32](t, s, "float", "stored as float64, wanted as float32")
	requireNotGet[int](t, s, "float", "stored as float64, wanted as int")
	requireNotGet[float64](t, s, "int", "stored as int, wanted as float64")
	requireNotGet[int64](t, s, "duration", "stored as time.Duration, wanted as int64")
	requireNotGet[time.Duration](t, s, "int", "stored as int, wanted as time.Duration")
}

func requireGet[T any](t *testing.T, s encoded, name string, want T) {
	t.Helper()
	got, err := get[T](s, name)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func requireNotGet[T any](t *testing.T, s encoded, name, text string) {
	t.Helper()
	var zero T
	got, err := get[T](s, name)
	require.ErrorIs(t, err, ErrType)
	require.ErrorContains(t, err, fmt.Sprintf("session value %q: ", name))
	require.ErrorContains(t, err, text)
	require.Equal(t, zero, got)
}

func TestOtherTypesThanStored(t *testing.T) {
	s := encoded{}
	require.NoError(t, put(s, "text", "secret"))
	require.NoError(t, put[any](s, "nil", nil))
	require.NoError(t, put(s, "list", []any{"a", 1}))
	require.NoError(t, put(s, "map", map[string]any{"street": 5, "secret": 1}))
	require.NoError(t, put(s, "bytes", []byte{1, 2}))
	require.NoError(t, put(s, "time", time.Unix(0, 0)))

	requireNotGet[int](t, s, "text", "stored as string, wanted as int")
	requireNotGet[[]byte](t, s, "text", "stored as string, wanted as []uint8")
	requireNotGet[address](t, s, "text", "stored as string, wanted as values.address")
	requireNotGet[*address](t, s, "text", "stored as string, wanted as values.address")
	requireNotGet[map[string]int](t, s, "text", "stored as string")
	requireNotGet[fmt.Stringer](t, s, "text", "wanted as fmt.Stringer")
	requireNotGet[int](t, s, "nil", "stored as <nil>, wanted as int")
	requireNotGet[[]string](t, s, "list", "element 1: stored as int, wanted as string")
	requireNotGet[[3]any](t, s, "list", "wanted as [3]interface {}")
	requireNotGet[[]byte](t, s, "list", "wanted as []uint8")
	requireNotGet[address](t, s, "map", "field street of values.address: stored as int, wanted as string")
	requireNotGet[map[string]bool](t, s, "map", "entry of the map: stored as int, wanted as bool")
	requireNotGet[map[int]any](t, s, "map", "wanted as map[int]interface {}")
	requireNotGet[stamp](t, s, "map", "wanted as values.stamp")
	requireNotGet[digest](t, s, "bytes", "wanted as values.digest")
	requireNotGet[[]int](t, s, "bytes", "wanted as []int")
	requireNotGet[string](t, s, "time", "stored as time.Time, wanted as string")

	got, err := get[[]string](s, "nil")
	require.NoError(t, err)
	require.Nil(t, got)
}

type loop *loop

func TestWhatCannotBeKeptIsRefused(t *testing.T) {
	type twice struct {
		A string `session:"x"`
		B string `session:"x"`
	}
	type withFunc struct{ Callback func() }
	s := encoded{}
	for text, err := range map[string]error{
		"chan int, a chan cannot be kept":                           put(s, "v", make(chan int)),
		"field Callback of values.withFunc: func(), a func":         put(s, "v", withFunc{}),
		"complex128, a complex128":                                  put(s, "v", complex(1, 1)),
		"map[int]string, the keys of a map must be strings":         put(s, "v", map[int]string{}),
		"values.twice, two of its fields are kept as x":             put(s, "v", twice{}),
		"big.Int, nothing in it is exported":                        put(s, "v", big.NewInt(5)),
		"values.address, its type would be lost":                    put[any](s, "v", address{}),
		"sync.Mutex, nothing in it is exported":                     put(s, "v", &sync.Mutex{}),
		"uintptr, a uintptr cannot be kept":                         put(s, "v", uintptr(1)),
		"field Free of values.account: values.role, its type would": put(s, "v", account{Free: role(1)}),
		`session value "v" of type float32`:                         put(s, "v", map[string]any{"a": []any{1, float32(2)}}),
	} {
		require.ErrorIs(t, err, core.ErrType, text)
		require.ErrorContains(t, err, text)
		require.ErrorContains(t, err, `session value "v"`)
	}
	require.Empty(t, s, "nothing was stored")

	var l loop
	l = &l
	require.ErrorIs(t, put(s, "v", l), core.ErrNesting)
	require.NoError(t, put(s, "v", "x"))
	requireNotGet[loop](t, s, "v", "stored as string")

	type node struct{ Next *node }
	ring := &node{}
	ring.Next = ring
	require.ErrorIs(t, put(s, "v", ring), core.ErrNesting)
}

func TestEncodeNamesKeyAndType(t *testing.T) {
	_, err := Encode("cart", map[string]any{"secret key": []any{1, address{Street: "secret"}}})
	require.ErrorIs(t, err, core.ErrType)
	require.ErrorContains(t, err, `session value "cart" of type values.address: `)
	require.NotContains(t, err.Error(), "secret")

	_, err = Encode("since", time.Unix(math.MaxInt64, 0))
	require.ErrorIs(t, err, core.ErrTime)
	require.ErrorContains(t, err, `session value "since" of type time.Time: `)

	data, err := Encode("n", 1)
	require.NoError(t, err)
	require.Equal(t, []byte{1}, data)
}

func TestPlansAreBounded(t *testing.T) {
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := range maxPlans/2 + 1 {
				p := planOf(reflect.StructOf([]reflect.StructField{{Name: fmt.Sprintf("F%d_%d", worker, i), Type: reflect.TypeFor[int]()}}))
				if p.err != nil || len(p.fields) != 1 {
					t.Error("wrong plan", p)
				}
			}
		})
	}
	wait.Wait()
	require.LessOrEqual(t, len(plans.of), maxPlans)
	roundTrip(t, struct{ Late int }{5})
}

// A refusal says what would keep the value, where something would.
func TestRefusalsNameWhatKeepsTheValue(t *testing.T) {
	for _, c := range []struct {
		v    any
		kept bool
	}{{struct{ A int }{1}, true}, {map[string]int{}, true}, {uint8(1), true}, {make(chan int), false}, {func() {}, false}} {
		_, err := Encode("cart", c.v)
		require.ErrorIs(t, err, core.ErrType)
		require.Equal(t, c.kept, strings.Contains(err.Error(), "sessions.Value"), err)
	}
}
