package core

// merge adds two requests' changes of one value up. Not ok are values that the
// kind does not fit; then the later commit wins.
func merge(kind MergeKind, base, theirs, ours []byte) (merged []byte, ok bool) {
	if theirs == nil || ours == nil {
		return nil, false
	}
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
	if !okB || !okT || !okO || wideT != wideO || base != nil && wideB != wideO || (o >= b) != (sum >= t) {
		return nil, false
	}
	var out []byte
	if wideO {
		out = appendHead(out, majorTag, tagInt64)
	}
	return appendInt(out, sum), true
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
	if !okB || !okT || !okO || headT != headO || base != nil && headB != headO {
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
	var out []byte
	if headO == setOfStrings {
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
