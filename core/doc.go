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
// A [Machine] is safe for concurrent use; a [Session] belongs to one goroutine.
// Effects are carried out in the order of their fields, and a step that fails
// ends them: no cookie is set for what was not saved.
//
// # Parts
//
// The files are in five groups, which a file's name begins with. A group uses
// those before it and none behind it, so they can be read in this order:
//
//   - value: a session's values as deterministic CBOR. Writing, checking and
//     reading one, and the list of all of them by name.
//   - seal: keys, the ring that they are in, and the sealed format: a message
//     that only the ring's keys open and that nobody can change.
//   - cookie: what is sealed in the cookie, how it is found among the Cookie
//     fields of a request, how Set-Cookie is written, and what names and scopes
//     a cookie may have.
//   - record: a session as a store keeps it, what is sealed in it, and its bytes.
//   - life: the [Machine] and the [Session], from life_state.go on. Resuming,
//     login, renewal, what a request did to each value, commit, and how that is
//     merged and replayed on what another request has stored.
//
// Under all of them are the settings in policy.go, the bounds in limits.go, the
// errors in errors.go, and [Time], [ID] and [Version].
//
// # States
//
// Each verb of a request leads from one state to another; all others are
// refused with [ErrEnded].
//
//	new    -- change, login, renew, refresh --> new
//	new    -- store --> active
//	new    -- end --> ended
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
// With Policy.RenewAfter the next secret of a chain is
//
//	HMAC-SHA-256(renewal key, ID | chain 4 | step 4 | secret before)
//
// so that all requests that show one secret are given the same next one. No
// honest visitor is refused for a renewal as long as no request and no answer is
// on its way for RenewGrace or more.
//
// # Record
//
// Sealed holds a deterministic CBOR map (RFC 8949, section 4.2.1).
//
//	AAD: header | lp("record") | ID 16 | version 8 | created 8 | seen 8 | expires 8 | lp(tenant) | lp(user)
//
// The keys of the map:
//
//	 0  format           integer: 1, which is recordFormat
//	 1  deadline         integer, ms: the lifetime's end
//	 2  lifetime         integer, ms: this session's own lifetime; 0: the policy's
//	 3  login at         integer, ms; 0: nobody signed in
//	 4  chain            integer, generation of the current secret
//	 5  step             integer
//	 6  secret hash      32 bytes: SHA-256 of the current secret
//	 7  prev hash        32 bytes: of the one before it in the chain; absent if none
//	 8  next seen at     integer, ms: first use of the current secret after a renewal; 0: not yet
//	 9  renewal key      32 bytes; absent without periodic renewal
//	10  renewed at       integer, ms: when the current secret was made
//	11  given at         integer, ms: when an answer last set it
//	12  IP               bytes, 0, 4 or 16: of the creating request
//	13  user agent       bytes
//	14  last IP          bytes: of the last use that was written
//	15  last user agent  bytes
//	16  versions         bytes, 8 each: up to KeptVersions versions before this one, the latest first
//	17  data             map of text to values
//	18  remember         integer: 1, the cookie outlives the browser, or 0; absent before there was the choice
//	19  chain at         integer, ms: when the first secret of the chain was made; absent before it was noted
//	20  other IP         bytes, 4 or 16: of the latest login over another family than IP; absent if none
//	21  replaced         integer, 1: a login of another user has put another session in this one's place; absent otherwise
//	22  proof            bytes: how and when the user proved who they are, see life_proof.go; absent before it was noted
//	23  outdated         integer, 1: the session has ended because its user's credentials have changed; absent otherwise
//
// Keys that a release does not know it keeps, and writes behind its own.
//
// # Values
//
// [AppendValue] lists the Go types. Those that CBOR does not tell apart have
// private tags, and testdata/values.txt has the bytes of each.
//
// The private tags, and what they stand on:
//
//	48640  int64            integer
//	48641  uint64           unsigned integer
//	48642  time             [Unix seconds, nanoseconds, seconds east of UTC]
//	48643  duration         integer, nanoseconds
//	48644  bytes text       byte string: a string that is not UTF-8
//	48645  strings          array of strings
//	48646  ints             array of integers
//	48647  string map       map of strings to strings
//
// # Refusals
//
// The reasons of refusals, by name and number, which never change:
//
//	 0  none
//	 1  malformed
//	 2  unknown_key
//	 3  not_authentic
//	 4  unknown_session
//	 5  wrong_tenant
//	 6  idle
//	 7  expired
//	 8  superseded
//	 9  theft
//	10  ip_changed
//	11  user_agent_changed
//	12  ended
//	13  corrupt
//	14  ip_family
//	15  cross_site
//	16  credentials_changed
//	17  not_fresh
//	18  methods_missing
package core
