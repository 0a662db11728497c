package core

import "math"

// A reader takes a payload apart. The first thing that is not as it must be
// makes it bad, and from then on it answers zeros. It is no unpack.Reader: in
// CBOR a length is part of the head, which readHead reads for values as well.
type reader struct {
	data []byte
	at   int
	bad  bool
}

func (r *reader) head(major byte) uint64 {
	m, arg, next, ok := readHead(r.data, r.at)
	if r.bad || !ok || m != major {
		r.bad = true
		return 0
	}
	r.at = next
	return arg
}

func (r *reader) number() Time {
	n, next, ok := readInt(r.data, r.at)
	if r.bad || !ok {
		r.bad = true
		return 0
	}
	r.at = next
	return Time(n)
}

func (r *reader) uint32() uint32 {
	n := r.head(majorUint)
	r.bad = r.bad || n > math.MaxUint32
	return uint32(n)
}

func (r *reader) bytes(major byte) []byte {
	n := r.head(major)
	if r.bad || n > uint64(len(r.data)-r.at) {
		r.bad = true
		return nil
	}
	from := r.at
	r.at += int(n)
	return r.data[from:r.at:r.at]
}

// bit reads 0 or 1.
func (r *reader) bit() bool {
	n := r.number()
	r.bad = r.bad || n < 0 || n > 1
	return n == 1
}

func (r *reader) hash() []byte {
	b := r.bytes(majorBytes)
	r.bad = r.bad || len(b) != 32
	return b
}

// quickText returns the length of the text at data[i] if its head is one byte,
// as most are; else -1, and it may be none.
func quickText(data []byte, i int) int {
	if i < len(data) {
		if n := int(data[i] ^ majorText); n < 24 && n < len(data)-i {
			return n
		}
	}
	return -1
}

// name reads a text that need not be UTF-8.
func (r *reader) name() []byte {
	if n := quickText(r.data, r.at); n >= 0 && !r.bad {
		r.at += 1 + n
		return r.data[r.at-n : r.at : r.at]
	}
	return r.bytes(majorText)
}

// value skips one value and returns its bytes.
func (r *reader) value() []byte {
	if r.bad {
		return nil
	}
	from := r.at
	if n := quickText(r.data, from); n >= 0 && isASCII(r.data[from+1:from+1+n]) {
		r.at += 1 + n
		return r.data[from:r.at:r.at]
	}
	n, err := skipValue(r.data[from:])
	if err != nil {
		r.bad = true
		return nil
	}
	r.at += n
	return r.data[from:r.at:r.at]
}

// readPayload refuses what appendPayload cannot have written, except for keys
// of later releases.
func readPayload(data []byte, p *payload) error {
	r := reader{data: data}
	last := -1
	met := uint32(optionalKeys)
	for pairs := r.head(majorMap); pairs > 0 && !r.bad; pairs-- {
		from := r.at
		key := r.head(majorUint)
		if r.bad || key > 1<<30 || int(key) <= last {
			return ErrCorrupt
		}
		if last = int(key); last >= knownKeys {
			p.unknown, p.unknownPairs = r.rest(from, pairs), pairs
			break
		}
		if err := r.field(p, last); err != nil {
			return err
		}
		met |= 1 << last
	}
	if r.bad || r.at != len(data) || met != 1<<knownKeys-1 || len(p.versions)%8 != 0 || len(p.versions) > 8*KeptVersions {
		return ErrCorrupt
	}
	return nil
}

// rest skips the pairs of later releases, the first of whose keys is read, and
// returns them all as bytes.
func (r *reader) rest(from int, pairs uint64) []byte {
	r.value()
	for ; pairs > 1 && !r.bad; pairs-- {
		r.head(majorUint)
		r.value()
	}
	return r.data[from:r.at:r.at]
}

func (r *reader) field(p *payload, key int) error {
	switch key {
	case keyFormat:
		f := r.number()
		if f < oldestFormat || f > recordFormat {
			return refusal(ReasonCorrupt, "session record is in format "+decimal(int(f))+", this release reads up to "+decimal(recordFormat))
		}
		p.format = byte(f)
	case keyDeadline:
		p.deadline = r.number()
	case keyLifetime:
		p.lifetime = r.number()
	case keyLoginAt:
		p.loginAt = r.number()
	case keyChain:
		p.gen.chain = r.uint32()
	case keyStep:
		p.gen.step = r.uint32()
	case keySecretHash:
		copy(p.secretHash[:], r.hash())
	case keyPrevHash:
		p.prevHash = r.hash()
	case keyNextSeenAt:
		p.nextSeenAt = r.number()
	case keyRenewalKey:
		if key := r.hash(); !r.bad {
			p.renewalKey = hide([32]byte(key))
		}
	case keyRenewedAt:
		p.renewedAt = r.number()
	case keyGivenAt:
		p.givenAt = r.number()
	case keyIP:
		p.ip = r.bytes(majorBytes)
	case keyUserAgent:
		p.userAgent = r.bytes(majorBytes)
	case keyLastIP:
		p.lastIP = r.bytes(majorBytes)
	case keyLastUserAgent:
		p.lastUserAgent = r.bytes(majorBytes)
	case keyVersions:
		p.versions = r.bytes(majorBytes)
	case keyData:
		r.items(p)
	case keyOtherIP:
		p.otherIP = r.bytes(majorBytes)
	case keyRemember:
		p.remember = choose(r.bit())
	case keyChainAt:
		p.chainAt = r.number()
		r.bad = r.bad || p.chainAt == 0
	case keyReplaced:
		p.replaced = r.bit()
		r.bad = r.bad || !p.replaced
	case keyProof:
		p.proof = r.bytes(majorBytes)
		r.bad = r.bad || !validProof(p.proof)
	case keyOutdated:
		p.outdated = r.bit()
		r.bad = r.bad || !p.outdated
	default:
		r.bad = true
	}
	return nil
}

func (r *reader) items(p *payload) {
	n := r.head(majorMap)
	if r.bad || n > uint64(len(r.data)-r.at)/2 { // a pair takes 2 bytes at least
		r.bad = true
		return
	}
	v := values{at: make([]uint32, n)}
	from := r.at
	var last []byte
	for i := range v.at {
		v.at[i] = uint32(r.at - from)
		name := r.name()
		value := r.value()
		if r.bad || i > 0 && compareNames(last, name) >= 0 {
			r.bad = true
			return
		}
		v.size += itemOverhead + len(name) + len(value)
		last = name
	}
	v.raw = r.data[from:r.at:r.at]
	p.data = v
}
