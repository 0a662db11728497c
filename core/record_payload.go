package core

import "encoding/binary"

// The plaintext of a record is a deterministic CBOR map with these keys. Keys
// that this release does not know are kept as they are, behind its own, so
// that an older release does not lose what a newer one wrote.
const (
	keyFormat        = iota // integer: 1, which is recordFormat
	keyDeadline             // integer, ms: the lifetime's end
	keyLifetime             // integer, ms: this session's own lifetime; 0: the policy's
	keyLoginAt              // integer, ms; 0: nobody signed in
	keyChain                // integer, generation of the current secret
	keyStep                 // integer
	keySecretHash           // 32 bytes: SHA-256 of the current secret
	keyPrevHash             // 32 bytes: of the one before it in the chain; absent if none
	keyNextSeenAt           // integer, ms: first use of the current secret after a renewal; 0: not yet
	keyRenewalKey           // 32 bytes; absent without periodic renewal
	keyRenewedAt            // integer, ms: when the current secret was made
	keyGivenAt              // integer, ms: when an answer last set it
	keyIP                   // bytes, 0, 4 or 16: of the creating request
	keyUserAgent            // bytes
	keyLastIP               // bytes: of the last use that was written
	keyLastUserAgent        // bytes
	keyVersions             // bytes, 8 each: up to KeptVersions versions before this one, the latest first
	keyData                 // map of text to values
	keyRemember             // integer: 1, the cookie outlives the browser, or 0; absent before there was the choice
	keyChainAt              // integer, ms: when the first secret of the chain was made; absent before it was noted
	keyOtherIP              // bytes, 4 or 16: of the latest login over another family than IP; absent if none
	keyReplaced             // integer, 1: a login of another user has put another session in this one's place; absent otherwise
	keyProof                // bytes: how and when the user proved who they are, see life_proof.go; absent before it was noted
	keyOutdated             // integer, 1: the session has ended because its user's credentials have changed; absent otherwise
	knownKeys
)

// Keys that may be absent.
const optionalKeys = 1<<keyPrevHash | 1<<keyRenewalKey | 1<<keyRemember | 1<<keyChainAt | 1<<keyOtherIP | 1<<keyReplaced |
	1<<keyProof | 1<<keyOutdated

// The formats of the plaintext that this release reads: its own and the one
// before. It writes its own.
const (
	recordFormat = 1
	oldestFormat = 1
)

// payload is the opened plaintext of a record. Its byte slices lie in it.
type payload struct {
	deadline, lifetime, loginAt Time
	gen                         generation
	secretHash                  [32]byte
	prevHash                    []byte // 32 bytes, or none
	nextSeenAt                  Time
	renewedAt, givenAt          Time
	renewalKey                  hidden // nil: none
	ip, userAgent               []byte
	lastIP, lastUserAgent       []byte
	otherIP                     []byte // none, or of the other family than ip
	versions                    []byte // 8 bytes each
	data                        values
	unknown                     []byte // encoded pairs
	unknownPairs                uint64
	format                      byte
	remember                    choice
	chainAt                     Time
	replaced                    bool
	proof                       []byte // none, or as appendProof makes it
	outdated                    bool
}

// choice is yes, no, or not made yet.
type choice uint8

const (
	unchosen choice = iota
	chosenNo
	chosenYes
)

func choose(yes bool) choice {
	if yes {
		return chosenYes
	}
	return chosenNo
}

// remembered is the choice, or what the lifetime says where none was made.
func (p *payload) remembered(policy *Policy) bool {
	return p.remember == chosenYes || p.remember == unchosen && p.lifetime > policy.Lifetime
}

func appendPayload(dst []byte, p *payload) []byte {
	pairs := uint64(keyData) + 1 + p.unknownPairs
	for _, there := range [...]bool{p.prevHash == nil, p.renewalKey == nil} {
		if there {
			pairs--
		}
	}
	for _, there := range [...]bool{p.remember != unchosen, p.chainAt != 0, p.otherIP != nil, p.replaced, p.proof != nil, p.outdated} {
		if there {
			pairs++
		}
	}
	dst = appendHead(dst, majorMap, pairs)
	number := func(key byte, n int64) { dst = appendInt(append(dst, key), n) }
	blob := func(key byte, b []byte) { dst = append(appendHead(append(dst, key), majorBytes, uint64(len(b))), b...) }
	number(keyFormat, recordFormat)
	number(keyDeadline, int64(p.deadline))
	number(keyLifetime, int64(p.lifetime))
	number(keyLoginAt, int64(p.loginAt))
	number(keyChain, int64(p.gen.chain))
	number(keyStep, int64(p.gen.step))
	blob(keySecretHash, p.secretHash[:])
	if p.prevHash != nil {
		blob(keyPrevHash, p.prevHash)
	}
	number(keyNextSeenAt, int64(p.nextSeenAt))
	if p.renewalKey != nil {
		blob(keyRenewalKey, shown(p.renewalKey)[:])
	}
	number(keyRenewedAt, int64(p.renewedAt))
	number(keyGivenAt, int64(p.givenAt))
	blob(keyIP, p.ip)
	blob(keyUserAgent, p.userAgent)
	blob(keyLastIP, p.lastIP)
	blob(keyLastUserAgent, p.lastUserAgent)
	blob(keyVersions, p.versions)
	dst = appendHead(append(dst, keyData), majorMap, uint64(p.data.len()))
	dst = append(dst, p.data.raw...)
	for i := range p.data.list {
		e := &p.data.list[i]
		dst = append(appendHead(dst, majorText, uint64(len(e.name))), e.name...)
		dst = append(dst, e.value...)
	}
	if p.remember != unchosen {
		number(keyRemember, int64(p.remember-chosenNo))
	}
	if p.chainAt != 0 {
		number(keyChainAt, int64(p.chainAt))
	}
	if p.otherIP != nil {
		blob(keyOtherIP, p.otherIP)
	}
	if p.replaced {
		number(keyReplaced, 1)
	}
	if p.proof != nil {
		blob(keyProof, p.proof)
	}
	if p.outdated {
		number(keyOutdated, 1)
	}
	return append(dst, p.unknown...)
}

// withVersion returns the version list of the state that follows v.
func (p *payload) withVersion(v Version) []byte {
	list := binary.BigEndian.AppendUint64(make([]byte, 0, 8*KeptVersions), uint64(v))
	return append(list, p.versions[:min(len(p.versions), 8*(KeptVersions-1))]...)
}

// follows reports whether v is among the versions before this state, and
// whether the list reaches back to the beginning.
func (p *payload) follows(v Version) (found, whole bool) {
	for list := p.versions; len(list) >= 8; list = list[8:] {
		if Version(binary.BigEndian.Uint64(list)) == v {
			return true, true
		}
	}
	return false, len(p.versions) < 8*KeptVersions
}
