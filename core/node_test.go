package core

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// openInNode runs the script that knows only the documentation.
func openInNode(t *testing.T, key []byte, stdin string, args ...string) (map[string]any, error) {
	t.Helper()
	cmd := exec.Command("node", append([]string{"testdata/open-cookie.mjs"}, args...)...)
	cmd.Env = append(os.Environ(), "SESSION_ENCRYPTION_KEY="+hex.EncodeToString(key))
	cmd.Stdin = bytes.NewReader([]byte(stdin))
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var got map[string]any
	require.NoError(t, json.Unmarshal(out, &got))
	return got, nil
}

func needNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("node is not installed: the documented format stays unproven")
	}
	t.Skip("SKIPPED, NOT TESTED: node is not installed, so nothing else reads the documented format")
}

func renewedSession(t *testing.T) (*Machine, given, *Session) {
	t.Helper()
	m := testMachine(t, Policy{RenewAfter: renewAfter})
	s := m.New(Request{Tenant: "tenant-ü", IP: "\x7f\x00\x00\x01", UserAgent: "\xff"})
	require.NoError(t, s.Login("alice", Day))
	put(t, s, "n", -300)
	put(t, s, "list", []any{"é", nil, true})
	put(t, s, "wide", int64(7))
	require.NoError(t, s.Keep(numbered(4)))
	g := received(commit(t, m, s, testNow, 1))
	s, err := g.try(t, m, Request{Tenant: "tenant-ü", IP: strings.Repeat("\x01", 16)}, testNow+1)
	require.NoError(t, err)
	require.NoError(t, s.Login("alice", Day))
	g = received(commit(t, m, s, testNow+1, 2))
	g = renewed(t, m, g, testNow+1+renewAfter, 3)
	return m, g, g.resume(t, m, testNow+1+renewAfter)
}

func TestNodeOpensACookie(t *testing.T) {
	needNode(t)
	_, g, s := renewedSession(t)
	key := testKey[:KeyLen]
	got, err := openInNode(t, key, "", DefaultCookieName, g.value(), "tenant-ü")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"id": g.rec.ID.String(), "secretHash": hex.EncodeToString(s.in.secretHash[:]), "chain": 1.0, "step": 1.0}, got)
	for what, args := range map[string][]string{
		"another tenant": {DefaultCookieName, g.value(), "another"},
		"another name":   {"another", g.value(), "tenant-ü"},
		"a record":       {DefaultCookieName, hex.EncodeToString(g.rec.Sealed), "tenant-ü"},
	} {
		_, err = openInNode(t, key, "", args...)
		require.Error(t, err, what)
	}
	_, err = openInNode(t, nextKey, "", DefaultCookieName, g.value(), "tenant-ü")
	require.Error(t, err, "another key")
}

func TestNodeOpensARecord(t *testing.T) {
	needNode(t)
	_, g, s := renewedSession(t)
	clear := func(r Record) string {
		text, err := json.Marshal(map[string]any{
			"ID": r.ID, "Version": strconv.FormatUint(uint64(r.Version), 10), "Tenant": r.Tenant, "User": r.User,
			"CreatedAt": r.CreatedAt, "SeenAt": r.SeenAt, "ExpiresAt": r.ExpiresAt,
		})
		require.NoError(t, err)
		return string(text)
	}
	sealed := hex.EncodeToString(g.rec.Sealed)
	got, err := openInNode(t, testKey[:KeyLen], clear(g.rec), "--record", sealed)
	require.NoError(t, err)
	at := func(key int) any { return got[strconv.Itoa(key)] }
	for key, want := range map[int]Time{
		keyFormat: recordFormat, keyDeadline: s.Deadline(), keyLifetime: Day, keyLoginAt: testNow + 1, keyChain: 1, keyStep: 1,
		keyNextSeenAt: 0, keyRenewedAt: testNow + 1 + renewAfter, keyGivenAt: testNow + 1 + renewAfter,
	} {
		require.Equal(t, float64(want), at(key), key)
	}
	for key, want := range map[int][]byte{
		keySecretHash: s.in.secretHash[:], keyPrevHash: s.in.prevHash, keyRenewalKey: shown(s.in.renewalKey)[:], keyIP: {127, 0, 0, 1},
		keyUserAgent: {0xff}, keyLastIP: nil, keyLastUserAgent: nil, keyVersions: s.in.versions,
		keyOtherIP: bytes.Repeat([]byte{1}, 16),
	} {
		require.Equal(t, hex.EncodeToString(want), at(key), key)
	}
	require.Equal(t, map[string]any{"n": -300.0, "list": []any{"é", nil, true}, "wide": map[string]any{"tag": float64(tagInt64), "value": 7.0}}, at(keyData))
	require.Len(t, got, keyOtherIP+1)
	moved := g.rec
	moved.ExpiresAt++
	_, err = openInNode(t, testKey[:KeyLen], clear(moved), "--record", sealed)
	require.Error(t, err, "a clear field was changed")
}
