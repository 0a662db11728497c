package migrate_test

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts/migrate"
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
	a := alien{[]string{"tea"}, 2, inner{map[string]int{"q": 1}}}
	other := alien2(a)
	values := map[string]any{"user": "ann", "cart": a, "again": a, "other": &other, "n": 5, "raw": []byte("x")}
	if os.Getenv("MIGRATE_GOB") == "level" {
		values["level"] = level(3)
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

func TestTypesThatNobodyHasRegistered(t *testing.T) {
	var got old
	decode := func(b []byte) error {
		got = old{}
		return gob.NewDecoder(bytes.NewReader(b)).Decode(&got)
	}
	b := encoded(t, "structs")
	for range 2 {
		require.NoError(t, migrate.DecodeGob(b, decode))
		require.Equal(t, 7, got.N)
		require.Len(t, got.Values, 6)
		for name, v := range got.Values {
			require.Equal(t, slices.Contains([]string{"cart", "again", "other"}, name), migrate.Unregistered(v), name)
		}
		require.Equal(t, "ann", got.Values["user"])
	}
	err := migrate.DecodeGob(encoded(t, "level"), decode)
	require.ErrorContains(t, err, "gob", "only structs have a stand-in")
	require.Error(t, migrate.DecodeGob([]byte("rubbish"), decode))
}
