package core

// merge adds two requests' changes of one value up. Not ok are values that the
// kind does not fit; then the later commit wins.
// A missing counter is 0 and a missing set is empty, also where a request has
// deleted it; what then comes to that is missing again.
func merge(kind MergeKind, base, theirs, ours []byte) (merged []byte, ok bool) {
	switch kind {
	case MergeCounter:
		return mergeCounter(base, theirs, ours)
	case MergeSet:
		return mergeSet(base, theirs, ours)
	}
	return nil, false
}

func mergeCounter(base, theirs, ours []byte) ([]byte, bool) {
	b, wideB, okB := counter(base)
	t, wideT, okT := counter(theirs)
	o, wideO, okO := counter(ours)
	sum := t + o - b // differences are exact modulo 2^64
	wide := wideB || wideT || wideO
	mixed := base != nil && wideB != wide || theirs != nil && wideT != wide || ours != nil && wideO != wide
	switch {
	case !okB || !okT || !okO || mixed || (o >= b) != (sum >= t):
		return nil, false
	case sum == 0 && ours == nil:
		return nil, true
	}
	return appendCounter(sum, wide), true
}

func appendCounter(n int64, wide bool) []byte {
	var out []byte
	if wide {
		out = appendHead(out, majorTag, tagInt64)
	}
	return appendInt(out, n)
}

// AddTo adds n to the CBOR of an int or int64, or to nothing as to 0, as
// Session.AddValue does.
func AddTo(old []byte, n int64) (value []byte, sum int64, err error) {
	value, sum, ok := addTo(old, n)
	if !ok {
		return nil, 0, ErrCounter
	}
	return value, sum, nil
}

// addTo adds n to a counter. Not ok is a value of another type, and a sum that
// leaves 64 bits.
func addTo(old []byte, n int64) (value []byte, sum int64, ok bool) {
	was, wide, ok := counter(old)
	sum = was + n
	if !ok || (n >= 0) != (sum >= was) {
		return nil, 0, false
	}
	return appendCounter(sum, wide), sum, true
}

// counter reads an int or an int64; a missing one is 0. An int is read as its
// 64 bits, so that it adds up to the same also where Go's int has 32.
func counter(data []byte) (n int64, wide, ok bool) {
	if data == nil {
		return 0, false, true
	}
	major, tag, at, ok := readHead(data, 0)
	if wide = ok && major == majorTag && tag == tagInt64; !wide {
		at = 0
	}
	n, end, ok := readInt(data, at)
	return n, wide, ok && end == len(data)
}

// mergeSet applies our removals and additions to theirs, in their order.
// Elements are compared as they are encoded, which is one way for each.
func mergeSet(base, theirs, ours []byte) ([]byte, bool) {
	b, headB, okB := elements(base)
	t, headT, okT := elements(theirs)
	o, headO, okO := elements(ours)
	head := max(headB, headT, headO)
	mixed := base != nil && headB != head || theirs != nil && headT != head || ours != nil && headO != head
	if !okB || !okT || !okO || mixed {
		return nil, false
	}
	before, now, kept := membership(b), membership(o), make(map[string]bool, len(t))
	var all [][]byte
	for _, e := range t {
		if name := string(e); !before[name] || now[name] {
			all = append(all, e)
			kept[name] = true
		}
	}
	for _, e := range o {
		if name := string(e); !before[name] && !kept[name] {
			all = append(all, e)
			kept[name] = true
		}
	}
	if len(all) == 0 && ours == nil {
		return nil, true
	}
	var out []byte
	if head == setOfStrings {
		out = appendHead(out, majorTag, tagStrings)
	}
	out = appendHead(out, majorArray, uint64(len(all)))
	for _, e := range all {
		out = append(out, e...)
	}
	return out, true
}

func membership(list [][]byte) map[string]bool {
	in := make(map[string]bool, len(list))
	for _, e := range list {
		in[string(e)] = true
	}
	return in
}

// The two kinds of list that a set is kept in.
const (
	setOfAny = iota
	setOfStrings
)

// elements returns the encoded elements of a []string or of a []any.
func elements(data []byte) (list [][]byte, kind int, ok bool) {
	if data == nil {
		return nil, setOfAny, true
	}
	major, n, at, ok := readHead(data, 0)
	skip := skipper(skipAt)
	if ok && major == majorTag && n == tagStrings {
		kind, skip = setOfStrings, skipString
		major, n, at, ok = readHead(data, at)
	}
	if !ok || major != majorArray {
		return nil, 0, false
	}
	for ; n > 0; n-- {
		end, err := skip(data, at, 1)
		if err != nil {
			return nil, 0, false
		}
		list = append(list, data[at:end])
		at = end
	}
	return list, kind, at == len(data)
}
