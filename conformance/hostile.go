package conformance

import (
	"strings"

	"github.com/rockstar-web/sessions/core"
)

// hostileNames are all valid tenants and users, and all different.
var hostileNames = []string{
	"", " ", "alice", "Alice", "ALICE", "alice ", " alice", "älice", "a\u0308lice", "alıce",
	"../x", "..", ".", "/", "a/b", `a\b`, "C:", "~", "%", "_", "a%", "a_", "*", "?", "[a]", "{a}", "a:b", "a,b", "a|b",
	"'", `"`, "`", "'; DROP TABLE sessions;--", ";--", "\\'", "${x}", "{{x}}", "%s%n", "%00", "NULL", "null", "0", "00", "-1", "1e3", "true",
	"\u202ealice", "\u0645\u0631\u062d\u0628\u0627", "日本語", "🦀", "👩‍👩‍👧", "ß", "ss", "İ", "\u200b", "\ufeff", "\ufffd", "\U0010ffff", "\u00a0",
	strings.Repeat("x", core.MaxName), strings.Repeat("x", core.MaxName-1), strings.Repeat("é", core.MaxName/2),
	strings.Repeat("日", core.MaxName/3), strings.Repeat("🦀", core.MaxName/4), strings.Repeat("%", core.MaxName), strings.Repeat("'", core.MaxName),
}

// separators are what a store could join a tenant and a user with: what names
// may hold of the characters that keys are made of.
var separators = []string{
	" ", "!", `"`, "#", "$", "%", "&", "'", "(", ")", "*", "+", ",", "-", ".", "/", ":", ";", "<", "=", ">", "?", "@",
	"[", `\`, "]", "^", "_", "`", "{", "|", "}", "~", "::", "||", "\u00a0", "\ufffd",
}

// hostileIDs are all different: extremes, neighbours of one bit, and texts
// or bytes that a file system, a shell or a collation could take for something
// else.
func hostileIDs() []core.ID {
	texts := []string{
		"_____________________w", // all bits set
		"---------------------Q", "-rf__________________g", "AAAAAAAAAAAAAAAAAAAAAQ",
		"aaaaaaaaaaaaaaaaaaaaaQ", "AaAaAaAaAaAaAaAaAaAaAA", "aAaAaAaAaAaAaAaAaAaAaA", "NULLNULLNULLNULLNULLNA",
		"000000000000000000000A", "1e31e31e31e31e31e31e3A", "CONCONCONCONCONCONCONw",
	}
	var ids []core.ID
	for _, text := range texts {
		id, _ := core.ParseID(text) // a bad text would be the zero ID, which every store refuses
		ids = append(ids, id)
	}
	base := core.ID{0x80, 0x27, 0x5c, 0, '%', '_', '\n', 0xff, 0xc3, 0x28, '/', '.', '.', '/', 0, 0}
	ids = append(ids, base)
	for bit := range 8 * len(base) {
		near := base
		near[bit/8] ^= 1 << (bit % 8)
		ids = append(ids, near)
	}
	return append(ids, core.ID{0: 1}, core.ID([]byte("abcdefghijklmnop")), core.ID([]byte("ABCDEFGHIJKLMNOP")))
}

// outOfBounds spoils a valid record, one way each.
var outOfBounds = map[string]func(*core.Record){
	"no ID":                      func(r *core.Record) { r.ID = core.ID{} },
	"no version":                 func(r *core.Record) { r.Version = core.NoVersion },
	"a version of 64 bits":       func(r *core.Record) { r.Version |= 1 << 63 },
	"a tenant of 256 bytes":      func(r *core.Record) { r.Tenant = strings.Repeat("x", core.MaxName+1) },
	"a user of 256 bytes":        func(r *core.Record) { r.User = strings.Repeat("x", core.MaxName+1) },
	"a NUL in the tenant":        func(r *core.Record) { r.Tenant = "a\x00b" },
	"a NUL at the user's end":    func(r *core.Record) { r.User = "alice\x00" },
	"a line break in the user":   func(r *core.Record) { r.User = "alice\n" },
	"a C1 control in the user":   func(r *core.Record) { r.User = "al\u0085ice" },
	"a tenant that is no UTF-8":  func(r *core.Record) { r.Tenant = "\xff" },
	"a user that is cut UTF-8":   func(r *core.Record) { r.User = "日"[:2] },
	"more than MaxSealed sealed": func(r *core.Record) { r.Sealed = make([]byte, core.MaxSealed+1) },
}
