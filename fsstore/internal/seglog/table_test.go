package seglog

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// A table finds what a map finds, also where many hashes are alike.
func TestTable(t *testing.T) {
	most := soak.Rounds(t, 1200, 3000)
	for _, hashes := range []uint32{1, 20, 1 << 31} {
		rng := rand.New(rand.NewPCG(1, uint64(hashes)))
		var tab table
		want := map[ref]uint32{}
		for r := ref(1); r < ref(most); r++ {
			switch old := ref(rng.Uint32N(uint32(r))); {
			case want[old] != 0 && rng.IntN(2) == 0:
				tab.remove(want[old]-1, old)
				delete(want, old)
			case want[old] != 0:
				tab.replace(want[old]-1, old, r)
				want[r] = want[old]
				delete(want, old)
			}
			if want[r] == 0 && rng.IntN(3) > 0 {
				hash := rng.Uint32N(hashes)
				tab.add(hash, r)
				want[r] = hash + 1
			}
			if r%100 != 0 {
				continue
			}
			for old := range r {
				found := tab.find(want[old]-1, func(f ref) bool { return f == old })
				require.Equal(t, want[old] != 0, found != 0)
			}
			n := 0
			tab.all(func(r ref) { n++; require.NotZero(t, want[r]) })
			require.Len(t, want, n)
			require.Equal(t, n, tab.n)
		}
	}
}
