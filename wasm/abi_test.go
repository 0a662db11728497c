package wasm_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

var hexBlock = regexp.MustCompile("(?s)```hex ([a-z ]+)\n(.*?)\n```")

// examples are the blocks of bytes in the README, by their names.
func examples(t *testing.T) map[string][]byte {
	t.Helper()
	blocks := map[string][]byte{}
	for _, m := range hexBlock.FindAllStringSubmatch(readme(t), -1) {
		var digits strings.Builder
		for line := range strings.Lines(m[2]) {
			line, _, _ = strings.Cut(line, "#")
			digits.WriteString(strings.TrimSpace(line))
		}
		b, err := hex.DecodeString(digits.String())
		require.NoError(t, err, m[1])
		require.NotContains(t, blocks, m[1])
		blocks[m[1]] = b
	}
	return blocks
}

// TestTheExampleIsTheCores: what the README shows is what comes out, and its
// comments are right: the frames are those that the words beside them make.
func TestTheExampleIsTheCores(t *testing.T) {
	blocks := examples(t)
	require.Len(t, blocks, 6)
	server := &wire.Server{}
	for _, verb := range []string{"configure", "identify", "resume"} {
		require.NotEmpty(t, blocks[verb+" request"], verb)
		require.Equal(t, blocks[verb+" reply"], server.Handle(nil, blocks[verb+" request"]), verb)
	}

	p := core.Policy{CookieName: "sid", FormerScopes: []core.Scope{{Path: "/app"}}, Lifetime: core.Hour, IdleTimeout: 30 * core.Minute,
		BindIPv6Bits: 64, Merge: map[string]core.MergeKind{"hits": core.MergeCounter}, Exclusive: []string{"role"}}
	key := core.Key{Bytes: core.NewSecret("7c1f0e9a52d3b84667e0a1c9d45f3b28906dfa1e37c25b8841f9e07ad63c8b15")}
	require.Equal(t, wire.AppendConfigure(nil, p, core.KeyRing{key}), blocks["configure request"])

	cookie := blocks["identify request"][1+4+8+2+4+4:]
	now := core.Time(1_800_000_060_000)
	require.Equal(t, wire.AppendIdentify(nil, 1, now, "", []string{string(cookie)}), blocks["identify request"])

	ticket, rest, err := core.ReadTicket(blocks["identify reply"][1+4:])
	require.NoError(t, err)
	require.Empty(t, rest)
	q := core.Request{IP: "\xc0\x00\x02\x07", UserAgent: "curl/8"}
	head := len(wire.AppendResume(nil, 1, now, ticket, q, &core.Record{})) - len(wire.AppendRecord(nil, &core.Record{}))
	record, err := wire.ReadRecord(blocks["resume request"][head:])
	require.NoError(t, err)
	require.Equal(t, wire.AppendResume(nil, 1, now, ticket, q, &record), blocks["resume request"])

	m, err := core.NewMachine(p, core.KeyRing{key})
	require.NoError(t, err)
	s, rest, err := m.ReadSession(blocks["resume reply"][1:])
	require.NoError(t, err)
	require.Empty(t, rest)
	cart, _ := s.Value("cart")
	require.Equal(t, "alice", s.User())
	require.Equal(t, []byte{3}, cart)
}

// rows returns number and name of each row of the table under a heading.
func rows(t *testing.T, heading string) (names []string) {
	t.Helper()
	_, text, ok := strings.Cut(readme(t), "\n"+heading+"\n")
	require.True(t, ok, heading)
	text, _, _ = strings.Cut(text, "\n#")
	first := -1
	for _, m := range regexp.MustCompile("(?m)^\\| (\\d+) \\| `([a-z_]+)` \\|").FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		if first < 0 {
			first = n
		}
		require.Equal(t, first+len(names), n, "%s: %s", heading, m[2])
		names = append(names, m[2])
	}
	return names
}

func TestTheTablesAreTheCores(t *testing.T) {
	for code, name := range rows(t, "### Error codes") {
		require.Equal(t, wire.CodeName(byte(code)), name)
	}
	require.Equal(t, "unlisted", wire.CodeName(byte(len(rows(t, "### Error codes")))), "the README lacks an error code")
	for reason, name := range rows(t, "### Reasons") {
		require.Equal(t, core.Reason(reason).String(), name)
	}
	require.Equal(t, "unlisted", core.Reason(len(rows(t, "### Reasons"))).String(), "the README lacks a reason")
	require.Len(t, rows(t, "## Verbs"), int(wire.OpCheckStamp))
	require.Len(t, rows(t, "### Changes"), int(wire.ChangeOutdate))
	require.Len(t, rows(t, "### Status"), int(wire.StatusConflict)+1)
}

func TestTheWordsAreTheCores(t *testing.T) {
	text := readme(t)
	_, policy, ok := strings.Cut(text, "\n### Policy\n")
	require.True(t, ok)
	policy, _, _ = strings.Cut(policy, "\n#")
	for f := range reflect.TypeFor[core.Policy]().Fields() {
		require.Contains(t, policy, f.Name)
	}
	require.Contains(t, text, "ABI version: "+strconv.Itoa(wire.Version)+".")
	require.Equal(t, 5_242_880, wire.MaxFrame)
	require.Contains(t, text, "5,242,880")
	require.Equal(t, 1_064_960, core.MaxSealed)
	require.Equal(t, 61, core.TicketLen)
	id := core.ID{1, 2, 3}
	byID := core.ByID(id)
	require.Equal(t, append(append(id[:], make([]byte, 32+3*4)...), 2), byID.AppendBytes(nil), "the ticket that a host makes itself")
	require.Contains(t, strings.Join(strings.Fields(text), " "), fmt.Sprintf("At most %d, %d and %d bytes", core.MaxName+1, core.MaxAddress, core.MaxUserAgent))
}
