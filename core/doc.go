// Package core decides everything about sessions and does nothing itself: it
// reads no clock, draws no randomness, does no I/O and starts no goroutine. The
// time and a [Seed] are arguments, and what must be stored and sent comes back
// as [Effects]. The same inputs give the same bytes.
//
// Applications use it through package hosts; they meet its errors, [ID], [Time]
// and the settings here. One request of a visitor is, for a host:
//
//	tickets := Identify(cookies)     // which session, by what right
//	session := Resume(ticket, the loaded record), or New
//	... what the request does: SetValue, Login, Refresh, End ...
//	effects := Commit(session)       // save, then set the cookie
//	Rebase, and Commit again, where the save met a conflict
//
// # States
//
// Each verb of a request leads from one state to another; all others are
// refused with [ErrEnded].
//
//	new    -- change, login, renew, refresh --> new
//	new    -- end --> ended
//	new    -- store --> active
//	active -- change, login, renew, refresh, store --> active
//	active -- end --> ended
//	ended  -- end --> ended
//
// # Sealed format
//
// Cookies and the sealed part of records have one format. Numbers are
// big-endian, lengths in bytes, | is concatenation, and lp(x) is the length of x
// in 2 bytes, then x.
//
//	version 1 | key ID 4 | epoch 4 | nonce 12 | ciphertext | tag 16
//
// The version is 1. The key ID is the first 4 bytes of
// SHA-256("rockstar sessions key id" | 0 | key). The epoch is the Unix hour of
// sealing. Version, key ID and epoch are the header, and the cipher is
// AES-256-GCM under the first half of
//
//	HKDF-SHA-256(key, no salt, "rockstar sessions v1 " | purpose | 0 | epoch, 64 bytes)
//
// with "cookie" or "record" for a purpose. The second half is the nonce key: the
// nonce is the first 12 bytes of
//
//	SHA-256(00 00 00 01 | nonce key | lp4(seed) | lp4(AAD) | lp4(plaintext))
//
// where lp4 has a length of 4 bytes. Who opens a message need not know that.
//
// # Cookie
//
// The value is the sealed format in base64url without padding, 124 characters.
//
//	plaintext: ID 16 | secret 32 | chain 4 | step 4
//	AAD:       header | lp("cookie") | lp(cookie name) | lp(tenant)
//
// Each login and each privilege change begins a new chain of secrets; periodic
// renewals are the steps in it.
//
// # Record
//
// Sealed holds a CBOR map with small integers for keys, which payload.go lists.
//
//	AAD: header | lp("record") | ID 16 | version 8 | created 8 | seen 8 | expires 8 | lp(tenant) | lp(user)
//
// Values are deterministic CBOR (RFC 8949, section 4.2.1), with private tags for
// the Go types that CBOR does not tell apart: [AppendValue] lists the types, and
// testdata/values.txt has their bytes.
package core
