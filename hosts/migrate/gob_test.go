package migrate_test

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts/migrate"
	"github.com/rockstar-web/sessions/internal/soak"
)

type (
	inner struct{ A map[string]int }
	alien struct {
		Items []string
		N     int
		In    inner
	}
	alien2 alien
	level  int
	stamp  struct{ time.Time } // which encodes itself
)

type (
	name string
	wave complex128
	box  struct {
		V    any
		More []any
	}
)

// old is what an scs session looks like to gob.
type old struct {
	N      int
	Values map[string]any
}

// In a program of its own, as types stay registered.
func encodeOld() {
	gob.RegisterName("example.com/shop/internal/cart.Cart", alien{})
	gob.RegisterName("*example.com/shop/internal/cart.Other", &alien2{})
	gob.RegisterName("example.com/shop.Level", level(0))
	gob.RegisterName("shop.L", []alien{})
	gob.RegisterName("map[string]int", map[string]int{})
	gob.RegisterName("map[string][]cart.Item", map[string][]alien{})
	gob.RegisterName("[2]string", [2]string{})
	gob.RegisterName("shop.Stamp", stamp{})
	gob.RegisterName("shop.Name", name(""))
	gob.RegisterName("shop.Complex", wave(0))
	gob.RegisterName("shop.Box", box{})
	gob.RegisterName("shop.Changed", map[string]string{})
	a := alien{[]string{"tea"}, 2, inner{map[string]int{"q": 1}}}
	other := alien2(a)
	values := map[string]any{"user": "ann", "cart": a, "again": a, "other": &other, "n": 5, "raw": []byte("x")}
	switch os.Getenv("MIGRATE_GOB") {
	case "all":
		maps.Copy(values, map[string]any{
			"level": level(3), "list": []alien{a, a}, "counts": map[string]int{"q": -1}, "lists": map[string][]alien{"x": {a}},
			"array": [2]string{"a", "b"}, "stamp": stamp{time.Unix(5, 0)}, "name": name("shop.L"), "wave": wave(1 + 2i),
			"flashes": []any{"hi", 5}, "tree": map[string]any{"a": []any{"b", 1.5}}, "shop.Level": "shop.Level",
			"mixed": []any{1, a, level(2)}, "box": box{V: level(1), More: []any{other}}, "box2": box{V: "x"}, "nil": nil,
		})
	case "changed":
		values["changed"] = map[string]string{"a": "b"}
	}
	if err := gob.NewEncoder(os.Stdout).Encode(old{7, values}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func TestMain(m *testing.M) {
	if os.Getenv("MIGRATE_GOB") != "" {
		encodeOld()
	}
	os.Exit(m.Run())
}

func encoded(t *testing.T, kind string) []byte {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "MIGRATE_GOB="+kind)
	out, err := cmd.Output()
	require.NoError(t, err)
	return out
}

func decodeOld(t *testing.T, b []byte) (got old, err error) {
	err = migrate.DecodeGob(b, func(b []byte) error {
		got = old{}
		return gob.NewDecoder(bytes.NewReader(b)).Decode(&got)
	})
	return got, err
}

func TestTypesThatNobodyHasRegistered(t *testing.T) {
	unread := map[string]string{
		"cart": "example.com/shop/internal/cart.Cart", "again": "example.com/shop/internal/cart.Cart", "other": "*example.com/shop/internal/cart.Other",
		"level": "example.com/shop.Level", "list": "shop.L", "counts": "map[string]int", "lists": "map[string][]cart.Item", "array": "[2]string",
		"stamp": "shop.Stamp", "name": "shop.Name", "wave": "shop.Complex", "mixed": "example.com/shop/internal/cart.Cart", "box": "shop.Box", "box2": "shop.Box",
	}
	for kind, size := range map[string]int{"structs": 6, "all": 21} {
		b := encoded(t, kind)
		for range 2 {
			got, err := decodeOld(t, b)
			require.NoError(t, err)
			require.Equal(t, 7, got.N)
			require.Len(t, got.Values, size)
			for name, v := range got.Values {
				if unread[name] == "" {
					require.NoError(t, migrate.Unread(v), name)
					continue
				}
				require.ErrorIs(t, migrate.Unread(v), migrate.ErrUnregistered, name)
				require.ErrorContains(t, migrate.Unread(v), "type "+unread[name]+":")
				delete(got.Values, name)
			}
			want := map[string]any{"user": "ann", "n": 5, "raw": []byte("x")}
			if kind == "all" {
				maps.Copy(want, map[string]any{"flashes": []any{"hi", 5}, "tree": map[string]any{"a": []any{"b", 1.5}}, "shop.Level": "shop.Level", "nil": nil})
			}
			require.Equal(t, want, got.Values)
		}
	}
}

// A type that is registered, and is another one now.
func TestTypesThatHaveChanged(t *testing.T) {
	gob.RegisterName("shop.Changed", changed(0))
	got, err := decodeOld(t, encoded(t, "changed"))
	require.NoError(t, err)
	require.Equal(t, "ann", got.Values["user"])
	require.ErrorContains(t, migrate.Unread(got.Values["changed"]), "type shop.Changed: gob: ")
	require.ErrorIs(t, migrate.Unread(got.Values["cart"]), migrate.ErrUnregistered)
}

type changed int

func TestBytesThatAreNoSession(t *testing.T) {
	b, every := encoded(t, "all"), soak.Rounds(t, 7, 1)
	for n := 0; n < len(b); n += every {
		_, err := decodeOld(t, b[:n])
		require.ErrorIs(t, err, migrate.ErrUnreadable)
	}
	for n := 0; n < len(b); n += every { // whatever comes of it: no panic
		broken := slices.Clone(b)
		broken[n] ^= 0xff
		_, _ = decodeOld(t, broken)
	}
	_, err := decodeOld(t, []byte("rubbish"))
	require.ErrorIs(t, err, migrate.ErrUnreadable)
}
