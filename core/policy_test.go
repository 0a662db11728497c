package core

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRefusedPolicies: what cannot be is refused by the name of its field.
func TestRefusedPolicies(t *testing.T) {
	long := make([]byte, MaxNameLength+1)
	for field, policies := range map[string][]Policy{
		"CookieName": {
			{CookieName: "a b"}, {CookieName: "ü"},
			{CookieName: "__Host-s", CookiePath: "/a"}, {CookieName: "__host-s", CookieDomain: "example.com"},
			{CookieName: "__Http-s", AllowScripts: true}, {CookieName: "__Host-Http-s", AllowScripts: true},
			{CookieName: "__Secure-s", AllowInsecure: true},
		},
		"CookiePath":          {{CookiePath: "a"}, {CookiePath: "/a;b"}, {CookiePath: "/" + strings.Repeat("a", 1024)}},
		"CookieDomain":        {{CookieDomain: "-a.example"}, {CookieDomain: "a..b"}, {CookieDomain: "192.0.2.1"}, {CookieDomain: "ü.example"}},
		"SecureByRequest":     {{SecureByRequest: true, AllowInsecure: true}, {SecureByRequest: true, CookieName: "__Secure-s"}},
		"SameSite":            {{SameSite: SameSiteNone + 1}, {SameSite: SameSiteNone, AllowInsecure: true}},
		"Partitioned":         {{Partitioned: true, AllowInsecure: true}},
		"FormerScopes":        {{FormerScopes: make([]Scope, MaxCookies+1)}},
		"FormerScopes.Path":   {{FormerScopes: []Scope{{Path: "a"}}}},
		"FormerScopes.Domain": {{FormerScopes: []Scope{{"/", "a..b"}}}},
		"Lifetime":            {{Lifetime: -1}, {Lifetime: MaxLifetime + 1}},
		"MaxLifetime":         {{Lifetime: 2 * Hour, MaxLifetime: Hour}},
		"RenewAfter":          {{RenewAfter: -1}, {RenewAfter: 4*DefaultRenewGrace - 1}},
		"RenewGrace":          {{RenewGrace: 6 * Minute}},
		"BindIPv4Bits":        {{BindIPv4Bits: 33}},
		"BindIPv6Bits":        {{BindIPv6Bits: 129}},
		"SessionSize":         {{SessionSize: MaxSessionSize + 1}},
		"Merge": {
			{Merge: map[string]MergeKind{string(long): MergeSet}}, {Merge: map[string]MergeKind{"a": 0}},
			{Merge: map[string]MergeKind{"a": MergeSet}, Exclusive: []string{"a"}},
		},
		"Exclusive": {{Exclusive: []string{""}}},
		"LastWins": {
			{LastWins: []string{"\xff"}}, {LastWins: []string{"b", "a"}, Exclusive: []string{"a"}},
			{LastWins: []string{"a"}, Merge: map[string]MergeKind{"a": MergeCounter}},
		},
	} {
		for _, p := range policies {
			_, err := NewRules(p)
			var refused *PolicyError
			require.ErrorAs(t, err, &refused, "%s: %+v", field, p)
			require.Equal(t, field, refused.Field, "%+v", p)
			require.NotEmpty(t, refused.Allowed, field)
		}
	}
	_, err := NewRules(Policy{CookieName: "__Host-Http-s", SameSite: SameSiteNone, Partitioned: true, Merge: map[string]MergeKind{"n": MergeCounter}, Exclusive: []string{"x"}, LastWins: []string{"l"}})
	require.NoError(t, err)
}

// TestOfSeveralBadNamesTheFirstIsTold, whatever the order of the map.
func TestOfSeveralBadNamesTheFirstIsTold(t *testing.T) {
	_, err := NewRules(Policy{Merge: map[string]MergeKind{"c": 9, "a": 9, "b": 9}})
	var refused *PolicyError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "a", refused.Value)
}
